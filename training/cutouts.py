"""Make data/cutouts/: photographs of objects, cut out, out of Debian's package tuxpaint-stamps-default (GPL-2+).

    python training/cutouts.py                # needs apt-get and dpkg (Debian or Ubuntu)

Chosen by looking: photographs only, with clean edges, 78 pixels or more. Each is cut to its opaque part, scaled to at
most 320 pixels, and stored as WebP with its alpha. Its class is the ImageNet class that a careful person gives
to it; some objects have none, and are here because a network must still say something about them.
"""

import subprocess
import tempfile
from pathlib import Path

from PIL import Image

import coursekit as ck
from assets import ROOT, replace_entries
from coursekit.files import sha256_of

FOLDER = ROOT / "data/cutouts"
PACKAGE = "tuxpaint-stamps-default"
LARGEST = 320  # pixels

# name of the object : name of the stamp, where it differs : ImageNet class, "-" where it has none
TABLE = """
zebra::zebra                        tiger::tiger                        tiger_walking:tiger_sumatran:tiger
lion::lion                          lion_standing:lion-2:lion           brown_bear:european-bear:brown bear
bear::brown bear                    bison::bison                        ox:bull:ox
zebu::ox                            ram::ram                            dromedary::Arabian camel
bactrian_camel:camel:-              elephant::tusker                    horse::sorrel
hippopotamus:hippopotamus:hippopotamus  pig::hog                        pig_golden::hog
pig_resting:pig_golden2:hog         wild_boar:wildboar:wild boar        koala::koala
wombat::wombat                      beaver::beaver                      marmot::marmot
squirrel::fox squirrel              hare:rabbit:hare                    polecat:ferret:polecat
otter::otter                        badger::badger                      sea_lion::sea lion
orca::killer whale                  gorilla::gorilla                    chimpanzee:chimp:chimpanzee
fox::red fox                        dingo::dingo                        husky:dog:Siberian husky
blackbuck:indian_blackbuck:-        giraffe::-                          donkey::-
cow::-                              goat::-                             sheep::-
rhino:rhino_black:-                 doe::-                              wapiti::-
capybara::-                         kangaroo::-                         rabbit:rabbit-2:-
flamingo:pink_flamingo:flamingo     king_penguin:penguin:king penguin   peacock::peacock
hen::hen                            cock:rooster:cock                   drake:duck:drake
goose:gander:goose                  toucan:tucan:toucan                 vulture::vulture
ostrich::ostrich                    pelican::pelican                    lorikeet:rainbow-lorikeet:lorikeet
magpie::magpie                      crowned_crane::crane (bird)         heron:heron_greatblue_flying:little blue heron
lark::-                             owl::-                              gull:silver-gull:-
pigeon::-                           turkey::-                           guineafowl:helmeted_guineafowl:-
lionfish::lionfish                  spiny_lobster:lobster:spiny lobster  slug:Brown_slug:slug
isopod:Woodlouse:isopod             mantis::mantis                      grasshopper::grasshopper
iguana::common iguana               seahorse::-                         dolphin::-
strawberry:Strawberry2:strawberry   broccoli::broccoli                  lemon::lemon
orange:mandarine:orange             custard_apple:cherimoya:custard apple  maize:corn:corn
pineapple::pineapple                bolete:cep-1:bolete                 bolete_violet:cep-2:bolete
bolete_red:cep:bolete               cherry:Cherry_Stella:-              avocado::-
kiwi::-                             roast_turkey:Roast_turkey:-         mince_pie:Mince_Pie:-
acoustic_guitar:guitar_classical:acoustic guitar  electric_guitar:guitar_electric:electric guitar
electric_guitar_red:guitar2:electric guitar       electric_bass:guitar_electric_bass:electric guitar
violin::violin                      cello::cello                        cornet:trumpet:cornet
drum:drum_tomtom_floor:drum         drum_kit:drumkit:drum               binoculars::binoculars
camera:camera_35mm:reflex camera    toilet::toilet seat                 hammer::hammer
shovel:spade:shovel                 bin:wheelie_bin:ashcan              bin_metal:garbagecan:ashcan
stethoscope::stethoscope            syringe::syringe                    plaster:bandage_adhesive:Band Aid
parachute:paratrooper:parachute     tank:bradley:tank                   warplane:f22_raptor:warplane
teddy:edward_bear:teddy             candle::candle                      mailbox:usps_mailbox:mailbox
post_box:uk_post_box:mailbox        sports_car:sportscar2:sports car    pickup:truck:pickup
fire_engine:firetruck:fire engine   balloon:balloon360:balloon          airliner:747:airliner
garbage_truck:garbagetruck:garbage truck  minibus:green_korean_bus:minibus  racer:indycar:racer
yawl:walnutBoat:yawl                tricycle:pink_tricycle:tricycle     basketball::basketball
soccer_ball:soccer:soccer ball      tennis_ball::tennis ball            rugby_ball:football:rugby ball
racket:tennis_racket:racket         mug::coffee mug                     pitcher:pitcher_small:pitcher
paintbrush:paintbrush_large:paintbrush  trophy:trophy_cup:-             rubber_duck:rubberduck:-
daisy:yellow-flower:daisy           rose::-                             anemone:anemone_red:-
petunia:whitestar-petunia:-         gazania:red-gazania:-               daffodil::-
hibiscus:flower10:-                 earth:3_earth:-                     astronaut_suit:spacewalk:-
"""


# Objects that are hard to name at 224 pixels, or look like another class: labelled, but no part of the core set.
HARD = """
horse grasshopper iguana maize sports_car racer fox pelican paintbrush lionfish pickup airliner lion_standing zebu mug
chimpanzee marmot husky heron lion peacock cello pitcher elephant drum shovel minibus ox orange cornet hammer
bin_metal syringe garbage_truck
"""


# Objects that our networks are never trained on: what does a network say about an object that it has not seen?
UNSEEN = """
tiger_walking bear pig_golden lion_standing electric_guitar_red bolete_violet post_box drum_kit
bin_metal beaver toucan lemon stethoscope fire_engine badger violin
"""


def rows() -> list[tuple[str, str, str | None]]:
    """Return name, stamp and class of each object."""
    entries = [entry.strip() for line in TABLE.splitlines() for entry in line.split("  ") if entry.strip()]
    parts = [entry.split(":") for entry in entries]
    return [(name, stamp or name, None if label == "-" else label) for name, stamp, label in parts]


def main() -> None:
    """Write the pictures and their entries in data/manifest.json."""
    labels = ck.load_model("efficientnet_lite0").labels
    FOLDER.mkdir(parents=True, exist_ok=True)
    entries = []
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["apt-get", "download", PACKAGE], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(scratch).glob("*.deb")
        subprocess.run(["dpkg", "-x", archive, scratch], check=True)
        stamps = {}
        for path in sorted(Path(scratch).rglob("*.png")):
            if "cartoon" not in path.parts:
                stamps.setdefault(path.stem, path)
        for name, stamp, label in rows():
            picture = Image.open(stamps[stamp]).convert("RGBA")
            picture = picture.crop(picture.getchannel("A").point(lambda a: 255 * (a > 25)).getbbox())
            picture.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
            picture.save(FOLDER / f"{name}.webp", quality=90, alpha_quality=100, method=6)
            entries.append(_entry(FOLDER / f"{name}.webp", stamps[stamp].relative_to(scratch), label, labels))
    replace_entries(lambda file: file.startswith("cutouts/"), entries)
    size = sum(entry["bytes"] for entry in entries) / 1e6
    print(f"{len(entries)} cut-outs, {sum('class' in e for e in entries)} with a class, {size:.1f} MB")


def _entry(path: Path, stamp: Path, label: str | None, labels: list[str]) -> dict:
    entry = {
        "file": str(path.relative_to(ROOT / "data")),
        "sha256": sha256_of(path),
        "bytes": path.stat().st_size,
        "licence": "GPL-2.0-or-later",
        "origin": f"Bill Kendrick and contributors, Tux Paint stamps: {stamp}; cut and scaled by training/cutouts.py",
    }
    if label is not None:
        entry |= {"class": labels.index(label), "label": label}
        entry |= {"core": True} if path.stem not in HARD.split() else {}
    return entry | ({"unseen": True} if path.stem in UNSEEN.split() else {})


if __name__ == "__main__":
    main()
