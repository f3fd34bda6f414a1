"""The Label Studio labeling configuration of an ontology: what an annotator sees and can mark."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tacitus.data.label_studio import DOCUMENT, EVENTS, SPANS, TEXT, roles_tag
from tacitus.ontology import Ontology

_COLORS = ("#d9480f", "#1971c2", "#2f9e44", "#9c36b5", "#e8590c", "#0b7285", "#862e9c", "#5c940d")
_STYLE = """
.tacitus { display: flex; flex-wrap: wrap; gap: 24px; align-items: flex-start; }
.tacitus .sentence { flex: 3 1 420px; min-width: 0; } .tacitus .document { flex: 2 1 300px; min-width: 0; }
.sentence .lsf-richtext__line { font-size: 18px; line-height: 1.7; }
.document .lsf-richtext__line { color: #666; line-height: 1.5; }
"""


def labeling_config(ontology: Ontology) -> str:
    """The configuration as indented XML.

    The sentence carries the span labels and, as a two-level taxonomy (group, type), its event types. Each span carries
    its roles as a taxonomy event type → role, so that a sentence with two events keeps their participants apart; only
    roles that the span's label can take are offered. The document stands beside, to read and not to mark.
    """
    root = ET.Element("View")
    ET.SubElement(root, "Style").text = _STYLE
    columns = ET.SubElement(root, "View", className="tacitus")
    sentence = ET.SubElement(columns, "View", className="sentence")
    _sentence(sentence, ontology)
    document = ET.SubElement(columns, "View", className="document")
    ET.SubElement(document, "Header", value="$heading", size="5")
    ET.SubElement(document, "Text", name=DOCUMENT, value="$document", selectionEnabled="false")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _sentence(parent: ET.Element, ontology: Ontology) -> None:
    if ontology.span_labels:
        labels = ET.SubElement(parent, "Labels", name=SPANS, toName=TEXT, choice="single", showInline="true")
        for number, label in enumerate(ontology.span_labels):
            attributes = {"value": label.id, "background": label.color or _COLORS[number % len(_COLORS)]}
            attributes |= {"hint": label.definition} | ({"hotkey": label.hotkey} if label.hotkey else {})
            ET.SubElement(labels, "Label", attributes)
    ET.SubElement(parent, "Text", name=TEXT, value="$text", granularity="symbol")
    if ontology.event_types:
        ET.SubElement(parent, "Header", value="Events of the sentence", size="5")
        _event_types(parent, ontology)
        for name in ontology.span_label_ids:
            _roles(parent, name, ontology)


def _event_types(parent: ET.Element, ontology: Ontology) -> None:
    at_most = {"maxUsages": "1"} if ontology.exclusive else {}
    taxonomy = _taxonomy(parent, EVENTS, "event types", **at_most)
    for group in ontology.groups:
        branch = ET.SubElement(taxonomy, "Choice", value=group.id)
        for kind in group.types:
            ET.SubElement(branch, "Choice", value=kind.id, hint=kind.definition)


def _roles(parent: ET.Element, label: str, ontology: Ontology) -> None:
    roles = [role for role in ontology.roles if role.span_label == label]
    if not roles:
        return
    view = ET.SubElement(parent, "View", visibleWhen="region-selected", whenTagName=SPANS, whenLabelValue=label)
    ET.SubElement(view, "Header", value=f"Roles of the selected {label}", size="5")
    taxonomy = _taxonomy(view, roles_tag(label), "event type → role", perRegion="true")
    for kind in ontology.event_types:
        branch = ET.SubElement(taxonomy, "Choice", value=kind)
        for role in roles:
            ET.SubElement(branch, "Choice", value=role.id, hint=role.definition)


def _taxonomy(parent: ET.Element, name: str, placeholder: str, **options: str) -> ET.Element:
    attributes = {"name": name, "toName": TEXT, "leafsOnly": "true", "showFullPath": "true", "pathSeparator": " / "}
    return ET.SubElement(parent, "Taxonomy", attributes | {"placeholder": placeholder} | options)


def same_config(first: str, second: str) -> bool:
    """Whether two configurations ask for the same, however they are laid out; a text that is no XML equals nothing."""
    try:
        return _content(ET.XML(first)) == _content(ET.XML(second))
    except ET.ParseError:
        return False


def _content(node: ET.Element) -> object:
    return node.tag, dict(node.attrib), [_content(child) for child in node if child.tag != "Style"]
