"""Cases, decisions and the policies they rest on."""
