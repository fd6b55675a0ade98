"""How text that is no JSON is masked: by names beside values (`token: …`, `--password=…`), by the look of keys, and Secrets in YAML."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

MASK = "***"

NAMES = (
    r"[\w.-]{0,40}(?:token|password|passwd|passphrase|client[-_.]?secret|secret[-_.]?access[-_.]?key|private[-_.]?key|api[-_.]?key)"
    r"|client[-_]key[-_]data|[\w-]{1,40}\.key|\.?dockerconfigjson|\.?dockercfg|(?:set-)?cookie"
)
"""Keys with secret values, wherever they occur: `token`, `id-token`, `bootstrapToken`, `tls.key`, …"""

SECRET_NAME = re.compile(rf"(?i)(?:{NAMES}|(?:proxy-)?authorization)")

SECRET_FLAG = re.compile(rf"(?i)--?(?:{NAMES})")

BASE64 = re.compile(r"[A-Za-z0-9+/=\s\\]")
PEM_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
PEM_END = re.compile(r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----")
PEM_BASE64 = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]*")
"""Base64 of "-----BEGIN ": a certificate, which is public, or a key."""

VALUE = (
    r"(?P<q>\\{0,7}[\"'])(?P<quoted>.*?)(?<!\\)(?P=q)"  # up to the same quote, not one escaped once more
    r"|\\{0,7}[\"'][^\n]*"  # a quote that is never closed: the rest of the line
    r"|[^\s\"'\\,;{}\[\]&][^\s\"'\\,;}\]&]*"
)
NAMED = re.compile(rf"(?i)(?<![\w/.-])(?P<head>(?:{NAMES})(?:\\{{0,7}}[\"'])?[ \t]*[:=][ \t]*)(?:{VALUE})")
FLAG = re.compile(rf"(?i)(?<![\w-])(?P<head>--?(?:{NAMES})(?:(?:\\{{0,7}}[\"'])?,)?[ \t]*(?:=|[ \t]|(?<=,))[ \t]*)(?!-)(?:{VALUE})")
"""`--token VALUE`, `--token=VALUE`, and the same in a list of arguments: `"--token", "VALUE"`."""

HEADER = re.compile(
    r"(?i)(?P<head>\b(?:proxy-)?authorization(?:\\{0,7}[\"'])?[ \t]*[:=][ \t]*\[?)(?P<quote>\\{0,7}[\"'])?(?P<value>[^\n]*)"
)
BEARER = re.compile(r"(?i)(?P<head>\bbearer[ \t]+)(?=\S{8})[A-Za-z0-9._~+/=-]+")
JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")
JWT_BASE64 = re.compile(r"\bZXlK[A-Za-z0-9+/=]{16,}")
BOOTSTRAP = re.compile(r"\b(?P<head>[a-z0-9]{6})\.[a-z0-9]{16}\b")
"""A bootstrap token; its id, the part before the dot, is no secret: it is the name of its Secret."""

USERINFO = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]{0,15}://[^\s/:@]{0,80}:)[^\s/@]+(?=@)")
MARGIN = re.compile(r"\s*(?:E(?=  )|[|>](?= ))?\s*")
"""What is before a line that pytest or an error of ours quotes: `E   `, `  | `."""

SECRET_YAML = re.compile(r"(?m)^(?:E(?=  ))?[ |>-]*(?:[\w.]{1,60}: )?kind: *[\"']?Secret[\"']?[ \t]*$")
SECRET_JSON = re.compile(r"\\{0,7}[\"']kind\\{0,7}[\"']\s*:\s*\\{0,7}[\"']Secret\\{0,7}[\"']")
DATA_AT_END = re.compile(r"\s[\"']?(?:data|stringData)[\"']?:$")
DATA_JSON = re.compile(r"(?s)(?P<head>\\{0,7}[\"'](?:data|stringData)\\{0,7}[\"']\s*:\s*\{).*?(?P<end>\}(?=\s*[,}\]])|\Z)")


def mask_text(text: str, cover: Callable[[str], str] = str) -> str:
    """Return a text that is not JSON, or not quite, without secrets.

    `cover` masks known values. Keys in PEM come first: they may be cut and take lines with them; a second pass sees what the first one saw.
    """
    if "-----" in text:
        text = mask_pem_keys(text)
    if "Secret" in text:
        if SECRET_YAML.search(text):
            text = mask_yaml_secrets(text)
        if SECRET_JSON.search(text):
            text = DATA_JSON.sub(rf"\g<head>{MASK}\g<end>", text)
    if "LS0tLS1" in text:
        text = PEM_BASE64.sub(lambda found: MASK if is_key(found.group()) else found.group(), text)
    text = cover(text)
    if may_name_secret(text):
        text = "".join(mask_named_values(line) if may_name_secret(line) else line for line in text.splitlines(keepends=True))
    if "eyJ" in text:
        text = JWT.sub(MASK, text)
    if "ZXlK" in text:
        text = JWT_BASE64.sub(MASK, text)
    if "." in text:
        text = BOOTSTRAP.sub(rf"\g<head>.{MASK}", text)
    return USERINFO.sub(rf"\g<head>{MASK}", text) if "://" in text and "@" in text else text


TELLING = ("token", "passw", "passphrase", "secret", "key", "bearer", "authorization", "cookie", "dockerc")
"""One of these is in everything that `NAMED`, `FLAG`, `HEADER` and `BEARER` match: most lines hold none, and are looked at no further."""


def may_name_secret(text: str) -> bool:
    """Return whether a text may name a secret."""
    lowered = text.lower()
    return any(word in lowered for word in TELLING)


def mask_named_values(line: str) -> str:
    """Mask what follows the name of a secret in a line."""
    line = HEADER.sub(mask_after_header, line)
    line = NAMED.sub(mask_after_name, line)
    line = FLAG.sub(mask_after_name, line)
    return BEARER.sub(rf"\g<head>{MASK}", line)


def mask_yaml_secrets(text: str) -> str:
    """Mask the values under `data:` and `stringData:` of a YAML text that holds a Secret somewhere."""
    lines: list[str] = []
    inside: int | None = None  # the indent of the data: we are under
    for line in text.splitlines(keepends=True):
        margin = MARGIN.match(line)
        indent = len(margin.group().rstrip("\n")) if margin else 0
        body = line[indent:].strip()
        if inside is not None and body and indent <= inside:
            inside = None
        if inside is not None and body:
            key, colon, value = body.partition(":")
            hidden = f"{key}: {MASK}" if colon and re.fullmatch(r"[\"']?[\w.-]+[\"']?", key) else MASK
            lines.append(line[:indent] + (body if colon and not value.strip() else hidden) + line[len(line.rstrip()) :])
            continue
        if found := re.match(r"(?:- |[\w.]{1,60}: )?[\"']?(?:data|stringData)[\"']?: *(.*)", body):
            if found.group(1):
                lines.append(line[: indent + found.start(1)].rstrip() + f" {MASK}" + line[len(line.rstrip()) :])
                continue
            inside = indent
        elif inside is None and DATA_AT_END.search(body):  # of a line that begins with something else: an attribute of XML, a prompt
            inside = indent
        lines.append(line)
    return "".join(lines)


def mask_pem_keys(text: str) -> str:
    """Mask private keys, those too of which a cut left only the head or only the tail."""
    kept: list[str] = []
    at = 0
    while found := PEM_BEGIN.search(text, at):
        end = PEM_END.search(text, found.end())
        another = PEM_BEGIN.search(text, found.end())
        kept += [text[at : found.start()], MASK]
        if end and not (another and another.start() < end.start()):
            at = end.end()
        else:
            at = found.end()
            while at < len(text) and BASE64.match(text, at) and not (text[at] == "\n" and text[at + 1 : at + 2] in {"", "\n"}):
                at += 1
    text = "".join([*kept, text[at:]])
    while found := PEM_END.search(text):
        start = found.start()
        while start and BASE64.match(text, start - 1):
            start -= 1
        text = text[:start] + MASK + text[found.end() :]
    return text


def is_key(encoded: str) -> bool:
    """Return whether base64 of PEM holds a private key, or cannot be decoded."""
    head = encoded[:80]
    try:
        decoded = base64.b64decode(head[: len(head) // 4 * 4], altchars=b"-_" if set("-_") & set(head) else None)
    except ValueError:
        return True
    return b"PRIVATE KEY" in decoded or len(decoded) < 27  # "-----BEGIN CERTIFICATE-----" has 27


def mask_after_header(found: re.Match[str]) -> str:
    """Mask what follows `Authorization:`, up to the quote that closes it where it stands inside one."""
    quote, value = found.group("quote"), found.group("value")
    closing = re.search(rf"(?<!\\){re.escape(quote)}" if quote else r"\\{0,7}[\"']", value)
    return f"{found.group('head')}{quote or ''}{MASK}{value[closing.start() :] if closing else ''}"


def mask_after_name(found: re.Match[str]) -> str:
    """Mask a value, keeping the quotes it stands in."""
    quote = found.group("q") or ""
    return f"{found.group('head')}{quote}{MASK}{quote}"
