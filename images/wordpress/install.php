<?php
/* Install the site, or bring one that is there to the title and address that the archive has today. Safe to repeat, and
   to kill: an installation of ours that did not get to its end is begun afresh. Nothing else is ever dropped. */
require_once __DIR__ . '/secret.php';

const FINISHED = 'almagest_installed';
/* The one table that is there before WordPress's own and goes after them: an installation of ours is under way. */
const BEGUN = 'almagest_installing';
const PASSWORD = 'almagest_admin_password';

enum Found: string
{
    case Nothing = 'installed';
    case Site = 'already installed';
    case Foreign = 'adopted the site that was there';
}

/* What the database holds, after what an unfinished installation left, which can be neither used nor continued, is gone.
   Ends the process when there is something that is neither ours nor a whole site: half a dump, most likely. */
function found(mysqli $database): Found
{
    $tables = array_column($database->query('SHOW TABLES')->fetch_all(), 0);
    $wordpress = array_filter($tables, fn (string $table): bool => str_starts_with($table, 'wp_'));
    $has = fn (string $option): bool => in_array('wp_options', $wordpress, true)
        && $database->execute_query('SELECT 1 FROM wp_options WHERE option_name = ?', [$option])->num_rows > 0;
    if ($has(FINISHED)) {
        return Found::Site;
    }
    if (in_array(BEGUN, $tables, true)) {
        foreach ($wordpress as $table) {
            $database->query("DROP TABLE `$table`");
        }
        return Found::Nothing;
    }
    if (!$wordpress) {
        $database->query('CREATE TABLE ' . BEGUN . ' (since DATETIME)');
        return Found::Nothing;
    }
    /* The users come last in a dump. */
    $users = in_array('wp_users', $wordpress, true) && $database->query('SELECT 1 FROM wp_users LIMIT 1')->num_rows > 0;
    if ($has('siteurl') && $users) {
        return Found::Foreign;
    }
    $names = implode(', ', $wordpress);
    fwrite(STDERR, "WordPress: $names is not a whole site; load its dump to the end, or drop these tables\n");
    exit(1);
}

/* Let the Secret's password open the site: once for each that the Secret has had, so that one chosen by hand stays. */
function take_over_password(string $name, string $mail): void
{
    /* WordPress keeps passwords as forms send them: with slashes. */
    $password = wp_slash(trim(almagest_secret('wordpress/admin-password')));
    if (wp_check_password($password, (string) get_option(PASSWORD))) {
        return;
    }
    if ($user = get_user_by('login', $name)) {
        wp_set_password($password, $user->ID);
    } else {
        wp_insert_user([
            'user_login' => $name,
            'user_pass' => $password,
            'user_email' => email_exists($mail) ? '' : $mail,
            'role' => 'administrator',
        ]);
    }
    update_option(PASSWORD, wp_hash_password($password), false);
}

$database = new mysqli(
    getenv('ALMAGEST_MARIADB_HOST'),
    getenv('ALMAGEST_MARIADB_USER'),
    almagest_secret('mariadb/wordpress-password'),
    getenv('ALMAGEST_MARIADB_DATABASE'),
);
$found = found($database);

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
$admin = getenv('ALMAGEST_ADMIN_USER');

if ($found === Found::Nothing) {
    wp_install($title, $admin, $mail, true, '', wp_slash(almagest_secret('wordpress/admin-password')));
    update_option('permalink_structure', '/%postname%/');
} else {
    wp_upgrade();
}
if (wp_get_theme()->errors()) {
    switch_theme(WP_DEFAULT_THEME); /* The image does not have it, and without one pages are empty. */
}
take_over_password($admin, $mail);
update_option('blogname', $title);
update_option('admin_email', $mail);
update_option('home', WP_HOME);
update_option('siteurl', WP_SITEURL);
if (!is_blog_installed()) {
    fwrite(STDERR, "WordPress: the installation did not finish\n");
    exit(1);
}
update_option(FINISHED, gmdate('c'));
$database->query('DROP TABLE IF EXISTS ' . BEGUN);
echo "WordPress: $found->value\n";
