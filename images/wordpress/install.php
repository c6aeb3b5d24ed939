<?php
/* Install the site, or bring an installed one to the title and address that the archive has today. Safe to repeat. */
define('WP_INSTALLING', true);
$_SERVER += ['HTTP_HOST' => parse_url(getenv('ALMAGEST_SITE_URL'), PHP_URL_HOST), 'REQUEST_URI' => '/cms/', 'SERVER_PROTOCOL' => 'HTTP/1.1'];
require '/srv/wordpress/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

$title = getenv('ALMAGEST_SITE_TITLE');
$user = getenv('ALMAGEST_ADMIN_USER');
$mail = getenv('ALMAGEST_ADMIN_EMAIL');
$password = almagest_secret('wordpress/admin-password');

if (!is_blog_installed()) {
    /* WordPress would mail the address of the new site; there is nobody who could answer yet. */
    function wp_new_blog_notification($title, $url, $user, $password) {}
    wp_install($title, $user, $mail, getenv('ALMAGEST_ENVIRONMENT') === 'production', '', wp_slash($password));
    update_option('permalink_structure', '/%postname%/');
    echo "installed\n";
} else {
    wp_upgrade();
    echo "already installed\n";
}
update_option('blogname', $title);
update_option('admin_email', $mail);
update_option('home', WP_HOME);
update_option('siteurl', WP_SITEURL);
