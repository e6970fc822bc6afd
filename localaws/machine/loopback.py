"""Open URLs of servers on this machine, past every proxy of the user's shell."""

import urllib.request

open_url = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
