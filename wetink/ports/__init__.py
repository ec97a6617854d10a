"""The seams: what the use cases ask of the outside, and what they may rely on."""

from wetink.ports.drawing import Comparison as Comparison
from wetink.ports.drawing import Film as Film
from wetink.ports.drawing import Photos as Photos
from wetink.ports.drawing import Picture as Picture
from wetink.ports.drawing import Renderer as Renderer
from wetink.ports.drawing import Scene as Scene
from wetink.ports.drawing import Ticking as Ticking
from wetink.ports.keys import NewKey as NewKey
from wetink.ports.keys import Senders as Senders
from wetink.ports.keys import Source as Source
from wetink.ports.storage import ENTRY_BYTES as ENTRY_BYTES
from wetink.ports.storage import NAMES as NAMES
from wetink.ports.storage import Catalog as Catalog
from wetink.ports.storage import Conversions as Conversions
from wetink.ports.storage import Cursor as Cursor
from wetink.ports.storage import Log as Log
from wetink.ports.storage import Polls as Polls
from wetink.ports.storage import Profile as Profile
from wetink.ports.storage import Profiles as Profiles
from wetink.ports.storage import Projections as Projections
from wetink.ports.storage import Receipt as Receipt
from wetink.ports.storage import Received as Received
from wetink.ports.storage import Record as Record
from wetink.ports.storage import Storage as Storage
