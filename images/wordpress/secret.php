<?php
/* The content of a secret file; without it, the one answer that does not name what is missing to a visitor. */
function almagest_secret(string $name): string
{
    $value = @file_get_contents("/run/secrets/almagest/$name");
    if ($value === false) {
        error_log("the secret $name is not mounted");
        http_response_code(503);
        exit("This part of the archive is not configured yet.\n");
    }
    return rtrim($value, "\r\n");
}
