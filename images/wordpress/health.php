<?php
/* Whether WordPress would answer: its code and configuration are there, and its database lets it in and has the site. Of
   all of WordPress only what it needs for that is loaded, because the operator asks every two seconds. */
ini_set('default_socket_timeout', 2);
ini_set('mysqlnd.net_read_timeout', 2);
define('SHORTINIT', true);
require __DIR__ . '/wp-load.php';
$found = $wpdb->get_var("SELECT option_value FROM $wpdb->options WHERE option_name = 'siteurl'");
header('Content-Type: text/plain');
header('Cache-Control: no-store');
http_response_code($found ? 200 : 503);
echo $found ? "ok\n" : "the database has no site\n";
