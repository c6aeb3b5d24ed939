<?php
/* Install the site, or bring an installed one to the title and address that the archive has today. Safe to repeat, and
   to kill: an installation that did not get to its end is begun afresh. */
require_once __DIR__ . '/secret.php';

const FINISHED = 'almagest_installed';

/* Whether the installation was finished once. What an unfinished one left can be neither used nor continued. */
function installed(mysqli $database): bool
{
    $tables = array_column($database->query("SHOW TABLES LIKE 'wp\\_%'")->fetch_all(), 0);
    if (in_array('wp_options', $tables, true)) {
        $found = $database->execute_query('SELECT 1 FROM wp_options WHERE option_name = ?', [FINISHED]);
        if ($found->num_rows > 0) {
            return true;
        }
    }
    foreach ($tables as $table) {
        $database->query("DROP TABLE `$table`");
    }
    return false;
}

$installed = installed(new mysqli(
    getenv('ALMAGEST_MARIADB_HOST'),
    getenv('ALMAGEST_MARIADB_USER'),
    almagest_secret('mariadb/wordpress-password'),
    getenv('ALMAGEST_MARIADB_DATABASE'),
));

define('WP_INSTALLING', true);
/* WordPress would mail the address of the new site, from a pod that reaches no mail server. */
function wp_new_blog_notification($title, $url, $user, $password)
{
}
$_SERVER += [
    'HTTP_HOST' => parse_url(getenv('ALMAGEST_SITE_URL'), PHP_URL_HOST),
    'REQUEST_URI' => '/cms/',
    'SERVER_PROTOCOL' => 'HTTP/1.1',
];
require '/srv/wordpress/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

$title = getenv('ALMAGEST_SITE_TITLE');
$mail = getenv('ALMAGEST_ADMIN_EMAIL');

if ($installed) {
    wp_upgrade();
} else {
    $password = wp_slash(almagest_secret('wordpress/admin-password'));
    wp_install($title, getenv('ALMAGEST_ADMIN_USER'), $mail, true, '', $password);
    update_option('permalink_structure', '/%postname%/');
}
update_option('blogname', $title);
update_option('admin_email', $mail);
update_option('home', WP_HOME);
update_option('siteurl', WP_SITEURL);
if (!is_blog_installed()) {
    fwrite(STDERR, "WordPress: the installation did not finish\n");
    exit(1);
}
update_option(FINISHED, gmdate('c'));
echo $installed ? "WordPress: already installed\n" : "WordPress: installed\n";
