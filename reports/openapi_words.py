"""What the API's description tells beside its calls, in CommonMark: `/api/docs` shows it first."""

COOKIE = "wamtrail"

INTRODUCTION = """\
What became of every WhatsApp message, for jobs. In the examples `$WAMTRAIL` is the console's address, such
as `http://127.0.0.1:8081`, and `$TOKEN` a token.

## Tokens and roles

Every call carries `Authorization: Bearer wt_…`. `wamtrail token create --role reporter` makes a token and
shows it once; with `--number PHONE_NUMBER_ID` it sees that number alone, and everything else does not exist
for it.

- `reporter`, `support`: ask everything here.
- `sender`: queue messages, and ask what became of one message.
- `admin`: both, and without `--number` also what belongs to no number.

## Pages and cursors

Answers come in pages of `limit`. A cursor is opaque: take `next` as it is and give it back, to lists as
`cursor`, to the events as `after`.

- A list's `next` is null on its last page, and on no other: a page before it may be short, or empty.
- The events' `next` is always there. Ask with it again, at once while `more` is true, otherwise later; keep
  it in the same transaction or file as what you made of the events, and a job that is killed goes on
  without a gap or a repeat.
- 410 says that events after your cursor were deleted by age, that some are of a person who was erased, or
  that the database was restored to a time before it: ask once without `after`, and count the gap anew from
  the reports.

## Errors

Errors are `application/problem+json` (RFC 9457): `title`, `status`, and `detail`, a sentence that says what
is wrong and what to do. What is wrong with a request stands in `errors`, each with a `pointer` (RFC 6901):
into the body, or into the query taken as one object, where `parameter` names it, too. Unknown parameters
are refused.

401: no token, or one that is not known. 403: a token of another role. 404: nothing there, or not yours.
405: the `Allow` header tells the methods. 503: the database is away or too slow, with `Retry-After`.

## How often

{rate} Every answer tells in `RateLimit` how many calls are left (`r`) and in how many seconds all are back
(`t`). One call too many is a 429 with `Retry-After`. Each console process counts by itself.

## Size

Answers are packed with gzip for those who send `Accept-Encoding: gzip` (`curl --compressed`).
"""


def introduction(read: int, send: int) -> str:
    return INTRODUCTION.format(rate=_rate(read, send))


def _rate(read: int, send: int) -> str:
    if not read and not send:
        return "Calls are not limited here."
    asking = f"{read:,} calls a minute that ask" if read else "any number of calls that ask"
    sending = f"{send:,} that queue a message" if send else "any number that queue a message"
    back = "what is used comes back evenly, up to one minute's worth"
    return f"A token may make {asking} and {sending}; {back}."
