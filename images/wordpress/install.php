<?php
/* Install the site, or bring an installed one to the title and address that the archive has today. Safe to repeat. */
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

if (is_blog_installed()) {
    wp_upgrade();
    echo "WordPress: already installed\n";
} else {
    $password = wp_slash(almagest_secret('wordpress/admin-password'));
    wp_install($title, getenv('ALMAGEST_ADMIN_USER'), $mail, true, '', $password);
    update_option('permalink_structure', '/%postname%/');
    echo "WordPress: installed\n";
}
update_option('blogname', $title);
update_option('admin_email', $mail);
update_option('home', WP_HOME);
update_option('siteurl', WP_SITEURL);
if (!is_blog_installed()) {
    fwrite(STDERR, "WordPress: the installation did not finish\n");
    exit(1);
}
