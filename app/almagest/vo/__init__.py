"""Documents of the Virtual Observatory as XML: DALI errors, VOSI, UWS. Pure: values in, bytes out."""
