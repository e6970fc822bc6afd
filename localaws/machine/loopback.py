"""HTTP to servers on this machine, which no proxy of the user's shell stands before."""

import urllib.request

open_url = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
