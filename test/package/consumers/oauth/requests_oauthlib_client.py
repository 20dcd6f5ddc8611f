import os
import sys

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

url, client_id, secret, customer_guid, scope = sys.argv[1:]

# By default, the secret goes into the Basic header as it is; then into the body.
for details in ({"auth": HTTPBasicAuth(client_id, secret)}, {"include_client_id": True, "client_secret": secret}):
    session = OAuth2Session(client=BackendApplicationClient(client_id=client_id))
    session.fetch_token(f"{url}/oauth/token", **details)
    answer = session.post(f"{url}/api/customer_tokens", json={"customer_guid": customer_guid, "scopes": [scope]})
    assert answer.status_code == 201, answer.text
