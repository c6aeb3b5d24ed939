"""The Almagest operator: turns an `Archive` resource into a running astronomical archive, and keeps it so."""
