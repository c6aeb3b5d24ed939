<?php
/* Everything comes from the environment and from secret files; nothing is written here by the site itself. */
require_once '/usr/share/almagest/wordpress/secret.php';

define('DB_NAME', getenv('ALMAGEST_MARIADB_DATABASE'));
define('DB_USER', getenv('ALMAGEST_MARIADB_USER'));
define('DB_PASSWORD', almagest_secret('mariadb/wordpress-password'));
define('DB_HOST', getenv('ALMAGEST_MARIADB_HOST'));
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');

/* Eight keys from one secret, each for its own purpose. */
$almagest_salt = almagest_secret('wordpress/salt');
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $almagest_purpose) {
    foreach (['KEY', 'SALT'] as $almagest_half) {
        define("{$almagest_purpose}_$almagest_half", hash_hmac('sha256', "$almagest_purpose $almagest_half", $almagest_salt));
    }
}

define('WP_HOME', getenv('ALMAGEST_SITE_URL') . '/cms');
define('WP_SITEURL', getenv('ALMAGEST_SITE_URL') . '/cms');

/* The uploads' volume is mounted at wp-content/uploads, so the runtime makes wp-content, and nobody can write beside it. */
define('WP_CONTENT_DIR', __DIR__ . '/content');
define('WP_CONTENT_URL', WP_SITEURL . '/content');
define('UPLOADS', 'wp-content/uploads');

/* The code is part of the image: nothing is installed, edited or updated from inside, and nothing is fetched from outside. */
define('DISALLOW_FILE_MODS', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
define('WP_TEMP_DIR', '/tmp');
define('WP_DEBUG', false);

/* nginx passes the host on without the port that the visitor typed, and WordPress would redirect to itself for ever. */
if (isset($_SERVER['HTTP_X_FORWARDED_HOST'])) {
    $_SERVER['HTTP_HOST'] = $_SERVER['HTTP_X_FORWARDED_HOST'];
}
if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {
    $_SERVER['HTTPS'] = 'on';
}

$table_prefix = 'wp_';
if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
