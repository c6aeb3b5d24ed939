<?php
/* Install the site, or bring one that is there to the title and address that the archive has today. Safe to repeat, and
   to kill: an installation of ours that did not get to its end is begun afresh. A site with another address is never
   dropped. */
require_once __DIR__ . '/secret.php';

const FINISHED = 'almagest_installed';
/* What is under way stands in tables beside WordPress's own, because a dump brings options of its own. */
const INSTALLING = 'almagest_installing'; /* its one row: the address that our site gets */
const LOADING = 'almagest_loading'; /* made before a dump is loaded (docs/images.md) … */
const LOADED = 'almagest_loaded'; /* … and renamed after its last line: nothing in a dump says that it is whole */
const PASSWORD = 'almagest_admin_password';

enum Found: string
{
    case Nothing = 'installed';
    case Site = 'already installed';
    case Foreign = 'adopted the site that was there';
}

/* What the database holds, after what an unfinished installation left, which can be neither used nor continued, is
   gone. Ends the process when there is something that is neither ours nor a dump that was loaded to its end. */
function found(mysqli $database, string $siteurl): Found
{
    $tables = array_column($database->query('SHOW TABLES')->fetch_all(), 0);
    $wordpress = array_filter($tables, fn (string $table): bool => str_starts_with($table, 'wp_'));
    $has = fn (string $table): bool => in_array($table, $tables, true);
    $query = 'SELECT option_value FROM wp_options WHERE option_name = ?';
    $option = fn (string $name): string|false =>
        $has('wp_options') ? $database->execute_query($query, [$name])->fetch_column() : false;
    $ours = $has(INSTALLING) ? $database->query('SELECT * FROM ' . INSTALLING)->fetch_column() : false;
    $found = match (true) {
        $has(LOADING) => null,
        $has(LOADED) => $option('siteurl') ? Found::Foreign : null,
        $option(FINISHED) !== false => Found::Site,
        !$wordpress => Found::Nothing,
        $has(INSTALLING) && in_array($option('siteurl'), [false, $ours], true) => Found::Nothing,
        default => null,
    };
    if ($found === null) {
        $names = implode(', ', $tables);
        fwrite(STDERR, "WordPress: neither a site of this archive nor a dump that was loaded to its end: $names; "
            . "load the dump as docs/images.md says, or drop these tables\n");
        exit(1);
    }
    if ($found === Found::Nothing) {
        foreach ($wordpress as $table) {
            $database->query("DROP TABLE `$table`");
        }
        $database->execute_query('CREATE OR REPLACE TABLE ' . INSTALLING . ' AS SELECT ? AS siteurl', [$siteurl]);
    }
    return $found;
}

/* Let the Secret's password open the site: once for each that the Secret has had, so that one chosen by hand stays. */
function take_over_password(string $name, string $mail, Found $found): void
{
    /* WordPress keeps passwords as forms send them: with slashes. */
    $password = wp_slash(trim(almagest_secret('wordpress/admin-password')));
    $known = get_option(PASSWORD);
    if ($known && wp_check_password($password, $known)) {
        return;
    }
    $user = get_user_by('login', $name);
    if (!$user) {
        wp_insert_user([
            'user_login' => $name,
            'user_pass' => $password,
            'user_email' => email_exists($mail) ? '' : $mail,
            'role' => 'administrator',
        ]);
    } elseif ($known || $found === Found::Foreign) { /* A site of ours was installed with one of the Secret's. */
        wp_set_password($password, $user->ID);
    }
    update_option(PASSWORD, wp_hash_password($password), false);
}

$database = new mysqli(
    getenv('ALMAGEST_MARIADB_HOST'),
    getenv('ALMAGEST_MARIADB_USER'),
    almagest_secret('mariadb/wordpress-password'),
    getenv('ALMAGEST_MARIADB_DATABASE'),
);
$found = found($database, getenv('ALMAGEST_SITE_URL') . '/cms');

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
take_over_password($admin, $mail, $found);
update_option('blogname', $title);
update_option('admin_email', $mail);
update_option('home', WP_HOME);
update_option('siteurl', WP_SITEURL);
if (!is_blog_installed()) {
    fwrite(STDERR, "WordPress: the installation did not finish\n");
    exit(1);
}
update_option(FINISHED, gmdate('c'));
$database->query('DROP TABLE IF EXISTS ' . INSTALLING . ', ' . LOADED);
echo "WordPress: $found->value\n";
