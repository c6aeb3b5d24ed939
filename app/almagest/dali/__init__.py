"""DALI 1.1: how every protocol of this archive reads a request and answers it."""
