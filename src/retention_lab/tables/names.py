"""What columns are called elsewhere, by what they mean here.

Names are compared without case, accents, blanks and signs, in English, German, French, Spanish,
Dutch and Italian, and as common shop systems write them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# The first names are the surest; of two columns that fit, the one that stands earlier is taken.
NAMES: dict[str, str] = {
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
        soldto soldtoparty
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
    words = NAMES.get(role, "").split()
    fits = [name for name in names if plain(name) in words]
    return sorted(fits, key=lambda name: words.index(plain(name)))


def currency_in(name: str) -> str | None:
    """Return the currency that a column's name states, such as `Amount (EUR)` or `total_gbp`."""
    found = _CODE.search(name.replace("_", " "))
    if found is None:
        return None
    return found[1].upper() if found[1] else _SIGNS.get(found[2])
