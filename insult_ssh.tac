"""The Application for `twistd -y insult_ssh.tac`: settings in, all doors out."""

from pathlib import Path

from twisted.application.service import Application
from twisted.internet import reactor

from conch_insults.config import load_settings
from conch_insults.errors import ConchInsultsError
from conch_insults.service import make_service

application = Application("conch_insults")
try:
    make_service(load_settings(Path(__file__).parent), reactor).setServiceParent(application)
except ConchInsultsError as error:
    # A SystemExit, so that twistd prints the line and no traceback.
    raise SystemExit(f"conch_insults: {error}") from None
