"""Which column of an export means what: told by its name, confirmed by what stands in it.

Names are compared without case, accents, blanks and signs, in English, German, French, Spanish,
Dutch and Italian, and as common shop systems write them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

from retention_lab.tables.contracts import TableName
from retention_lab.tables.sniffing import Kind, Layout

Role = Literal[
    "order_id", "customer_id", "email", "customer_name", "ordered_at", "amount", "quantity",
    "unit_price", "product_id", "product_family", "line", "discount", "coupon", "shipped_at",
    "promised_at", "delivered_at", "currency", "status", "return_id", "returned_at", "event",
    "occurred_at", "signed_up_at", "referred_by",
]  # fmt: skip

# The first names are the surest; of two columns that fit, the one that stands earlier is taken.
_NAMES: dict[Role, str] = {
    "order_id": """
        orderid ordernumber orderno ordernr ordernum orderref orderreference orderkey order
        incrementid invoiceno invoicenumber invoiceid invoice transactionid transactionno
        transaction purchaseid saleid receiptid receiptno receipt basketid bestellnummer
        bestellnr bestellid bestellung auftragsnummer auftragsnr auftrag belegnummer belegnr
        beleg rechnungsnummer rechnungsnr rechnung numerocommande numerodecommande ncommande
        idcommande commande numerofacture facture numeropedido numerodepedido npedido idpedido
        pedido numerofactura factura ordernummer bestelnummer bestelling factuurnummer
        numeroordine idordine ordine fattura
    """,
    "customer_id": """
        customerid customernumber customerno customernr customerkey customercode custid customer
        clientid clientno clientnumber clientcode client userid user memberid buyerid accountid
        shopperid kundennummer kundennr kundenid kdnr kundeid kunde numeroclient noclient
        idclient codeclient idcliente codigocliente numerocliente ncliente cliente klantnummer
        klantid klantnr klant codicecliente clienteid
    """,
    "email": """
        email customeremail emailaddress billingemail emailbilling buyeremail mail kundenemail
        emailadresse adressemail adresseemail courriel correo correoelectronico emailadres
    """,
    "customer_name": """
        customername clientname billingname kundenname nomclient nombrecliente klantnaam
        nomecliente fullname
    """,
    "ordered_at": """
        orderedat orderdate orderdatetime ordertime orderpurchasetimestamp ordercreatedat
        purchasedat purchasedate dateofpurchase createdat created createdutc createddateutc
        createddate creationdate datecreated invoicedate transactiondate transactiontime
        saledate salesdate datetime timestamp date time day processedat paidat paiddate
        bestelldatum bestelltam auftragsdatum kaufdatum belegdatum rechnungsdatum datum
        zeitpunkt datecommande datedecommande datedelacommande dateachat datedachat datefacture
        fechapedido fechadepedido fechacompra fechafactura fecha besteldatum orderdatum
        factuurdatum dataordine datadellordine dataacquisto datafattura data
    """,
    "amount": """
        amount ordertotal orderamount ordervalue totalamount total grandtotal totalprice
        totalpaid amountpaid totalrefundedincluded revenue sales salesamount turnover gross
        grosstotal paid value spend subtotal net nettotal betrag gesamtbetrag rechnungsbetrag
        gesamtsumme bestellwert auftragswert umsatz summe gesamt bruttobetrag wert montant
        montanttotal montantttc totalttc chiffredaffaires importe importetotal totalpedido
        bedrag totaalbedrag totaal omzet importo importototale totale totaleordine valore
    """,
    "quantity": """
        quantity qty lineitemquantity itemquantity qtyordered units menge anzahl stuck stueck
        stuckzahl stueckzahl quantite qte cantidad unidades aantal hoeveelheid quantita qta
    """,
    "unit_price": """
        unitprice priceperunit itemprice lineitemprice sellingprice price einzelpreis stuckpreis
        stueckpreis preis prixunitaire prixunitairettc prix preciounitario precio stuksprijs
        eenheidsprijs prijs prezzounitario prezzo
    """,
    "product_id": """
        productid productcode sku lineitemsku stockcode itemid itemcode articleid articlenumber
        articleno variantid asin ean product item artikelnummer artikelnr artikelid artikel
        produktid produktnummer produkt refproduit reference produit article idproducto
        codigoproducto producto productnummer artikelcode idprodotto codiceprodotto
        codicearticolo prodotto articolo lineitemname productname
    """,
    "product_family": """
        productfamily productcategory category producttype family department kategorie
        produktkategorie warengruppe categorie categorieproduit famille categoria familia
        productgroep categoriaprodotto
    """,
    "line": """
        line lineno linenumber lineid orderline position pos zeile positionsnummer ligne linea
        regel riga
    """,
    "discount": """
        discount discountamount totaldiscount totaldiscounts discounttotal rabatt rabattbetrag
        nachlass remise reduction descuento korting sconto
    """,
    "coupon": """
        coupon couponcode couponused discountcode discountcodes promocode vouchercode voucher
        gutschein gutscheincode codepromo cupon kortingscode codicesconto
    """,
    "shipped_at": """
        shippedat shippeddate shipdate shippingdate dispatchedat dispatchdate fulfilledat
        orderdeliveredcarrierdate versanddatum versandtam versendetam dateexpedition
        datedexpedition fechaenvio verzenddatum dataspedizione
    """,
    "promised_at": """
        promisedat promiseddate estimateddelivery estimateddeliverydate
        orderestimateddeliverydate
    """,
    "delivered_at": """
        deliveredat delivereddate deliverydate orderdeliveredcustomerdate lieferdatum
        geliefertam datelivraison datedelivraison fechaentrega leverdatum dataconsegna
    """,
    "currency": """
        currency currencycode ordercurrency wahrung waehrung devise moneda valuta divisa monnaie
    """,
    "status": """
        orderstatus financialstatus status bestellstatus statut estado stato
    """,
    "return_id": """
        returnid returnno returnnumber refundid creditnoteid creditnote rmanumber rma
        retourennummer retoureid
    """,
    "returned_at": """
        returnedat returneddate returndate refundedat refunddate dateofreturn retourdatum
        rueckgabedatum ruckgabedatum datedereturn dateretour fechadevolucion
    """,
    "event": """
        event eventname eventtype action
    """,
    "occurred_at": """
        occurredat eventtime eventdate eventtimestamp
    """,
    "signed_up_at": """
        signedupat signupdate signupat signedup registeredat registrationdate registeredon
        dateregistered joinedat joindate customersince kundeseit registrierungsdatum
        dateinscription fecharegistro
    """,
    "referred_by": """
        referredby referrerid referrer
    """,
}
# What describes customers, as the canonical tables call it.
_ATTRIBUTES = {
    "country": """
        country countrycode billingcountry shippingcountry customercountry land lieferland
        rechnungsland pays pais paese
    """,
    "channel": """
        channel saleschannel acquisitionchannel source utmsource marketingchannel kanal
        vertriebskanal canal kanaal canale
    """,
    "region": """
        region state province bundesland provincia provincie regione
    """,
    "store": """
        store storename shop branch filiale magasin tienda winkel negozio
    """,
    "segment": """
        segment customersegment customertype customergroup kundengruppe
    """,
    "device": """
        device devicetype platform
    """,
}
_PERSONAL = re.compile(
    r"name|mail|phone|address|street|zip|postal|postcode|city|birth|gender|vorname|strasse|plz|ort$"
    r"|telefon|adresse|geburt|prenom|nom$|rue$|ville|telefono|calle|direccion|ciudad|indirizzo|citta"
    r"|company|notes?$"
)
_WANTS: dict[Role, Kind] = {
    **dict.fromkeys(("ordered_at", "shipped_at", "promised_at", "delivered_at"), "time"),
    **dict.fromkeys(("returned_at", "occurred_at", "signed_up_at"), "time"),
    **dict.fromkeys(("amount", "quantity", "unit_price", "discount", "line"), "number"),
}  # fmt: skip
_FEW = 60  # values: more of them describe nobody
_CODE = re.compile(
    "(?<![a-z])(EUR|USD|GBP|CHF|CAD|AUD|JPY|SEK|NOK|DKK|PLN|CZK|INR)(?![a-z])|([\u20ac\u00a3$])",
    re.IGNORECASE,
)
_SIGNS = {"\u20ac": "EUR", "\u00a3": "GBP"}  # a dollar may be that of many countries


def plain(name: str) -> str:
    """Reduce the name of a column to its letters and digits, without a currency in it."""
    words = _CODE.sub(" ", name.replace("_", " "))
    letters = unicodedata.normalize("NFKD", words.replace("\u00df", "ss")).encode("ascii", "ignore")
    return re.sub("[^a-z0-9]", "", letters.decode().lower())


def likely(names: Sequence[str], role: str) -> list[str]:
    """List the names that fit a role by themselves, the surest first."""
    words = next((text.split() for known, text in _NAMES.items() if known == role), [])
    fits = [name for name in names if plain(name) in words]
    return sorted(fits, key=lambda name: words.index(plain(name)))


def named(layout: Layout, role: Role) -> list[str]:
    """List the columns whose name and content fit a role, the surest first."""
    words = _NAMES[role].split()
    if role == "order_id" and _is_shopify(layout):
        words = ["name"]
    elif role == "order_id" and _is_of_sales(layout):
        words = [*words, "id"]
    fits = [
        name for name in layout.columns if plain(name) in words and _confirms(layout, name, role)
    ]
    return sorted(fits, key=lambda name: words.index(plain(name)))


def _is_of_sales(layout: Layout) -> bool:
    found = {plain(name) for name in layout.columns}
    return any(found & set(_NAMES[role].split()) for role in ("amount", "unit_price"))


def _is_shopify(layout: Layout) -> bool:
    return {"name", "createdat", "financialstatus"} <= {plain(name) for name in layout.columns}


def _confirms(layout: Layout, name: str, role: Role) -> bool:
    """Tell whether what stands in a column can be what its name says; an empty one cannot."""
    if not layout.cells[name]:
        return False
    kind, wanted = layout.kinds[name], _WANTS.get(role)
    return kind == wanted if wanted else not (role == "customer_id" and kind == "time")


def of_kind(layout: Layout, kind: Kind) -> list[str]:
    """List the columns that hold times, numbers or text."""
    return [name for name in layout.columns if layout.kinds[name] == kind]


def table(layout: Layout) -> TableName:
    """Tell which canonical table a file is, by the columns it has."""

    def has(role: Role) -> bool:
        return bool(named(layout, role))

    buys = has("order_id") or has("amount") or has("unit_price")
    if has("event") and not buys:
        return "events"
    if has("return_id") or (has("returned_at") and not has("ordered_at")):
        return "returns"
    if has("signed_up_at") and not buys:
        return "customers"
    if has("quantity") and has("unit_price"):
        return "order_lines"
    return "orders"


def attributes(layout: Layout, *, taken: Sequence[str]) -> dict[str, str]:
    """Find at most four columns of few values that describe customers, by their canonical name."""
    found: dict[str, str] = {}
    for attribute, words in _ATTRIBUTES.items():
        for name in layout.columns:
            few = 1 <= len(set(layout.cells[name])) <= _FEW and layout.kinds[name] == "text"
            if plain(name) in words.split() and few and name not in taken:
                found.setdefault(attribute, name)
    return dict(list(found.items())[:4])


def personal(layout: Layout, *, taken: Sequence[str]) -> list[str]:
    """List the columns that look like personal data and are not used."""
    rest = [name for name in layout.columns if name not in taken]
    return [name for name in rest if _PERSONAL.search(plain(name)) and not _is_thing(plain(name))]


def _is_thing(name: str) -> bool:
    return name.startswith(("product", "lineitem", "item", "event", "campaign"))


def currency_in(name: str) -> str | None:
    """Return the currency that a column's name states, such as `Amount (EUR)` or `total_gbp`."""
    found = _CODE.search(name.replace("_", " "))
    if found is None:
        return None
    return found[1].upper() if found[1] else _SIGNS.get(found[2])
