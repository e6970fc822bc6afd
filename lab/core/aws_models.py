"""What botocore reads before a client can be made: megabytes of JSON, read once in a process instead of once a session.

A session is soon made (``lab.connect`` makes one, reading a stream another); the files are most of what it costs.
"""

import functools

import botocore.loaders
import botocore.session

SERVICES = ("s3", "kinesis", "lambda", "kinesisanalyticsv2")
_OF_A_SERVICE = ("service-2", "endpoint-rule-set-1")
_OF_ALL = ("endpoints", "partitions", "sdk-default-configuration", "_retry")


@functools.cache
def loader() -> botocore.loaders.Loader:
    """The one loader of this process; what it has read it keeps."""
    return botocore.loaders.create_loader()


def read_all() -> None:
    """Read what the clients of the notebooks need. No setting and no credential is looked up by this."""
    for service in SERVICES:
        for part in _OF_A_SERVICE:
            loader().load_service_model(service, part)
    for part in _OF_ALL:
        loader().load_data(part)


def new_session() -> botocore.session.Session:
    """A session that knows nothing of any other one's credentials and settings, with the common loader."""
    session = botocore.session.get_session()
    session.register_component("data_loader", loader())
    return session
