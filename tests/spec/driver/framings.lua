-- How an answer may say where it ends, and what its fields may look like: for the driver contract, every driver gives
-- the same. Strict where RFC 9112 protects, tolerant where it says so.
--
-- Each is { what it is, the bytes, body = "..." or refused = true }. `reusable`: the connection may carry another
-- request. `field`: what a field's value is. `may_be_taken`: a driver of a laxer library may take it, if it is told to
-- the conformance suite as `lax`.

local CHUNKS = "3\r\nsou\r\n2\r\nnd\r\n0\r\n\r\n"

local function answer(head, body) return "HTTP/1.1 200 OK\r\n" .. head .. "\r\n" .. (body or "sound") end

return {
  { "a length", answer "Content-Length: 5\r\n", body = "sound", reusable = true },
  { "a length with blanks around", answer "Content-Length: \t5 \r\n", body = "sound", reusable = true },
  { "a length without a blank", answer "Content-Length:5\r\n", body = "sound", reusable = true },
  { "a length with zeros before", answer "Content-Length: 005\r\n", body = "sound", reusable = true },
  { "the same length twice", answer "Content-Length: 5\r\nContent-Length: 5\r\n", body = "sound", reusable = true },
  { "a length, then chunks", answer("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", CHUNKS), body = "sound" },
  { "chunks, then a length", answer("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", CHUNKS), body = "sound" },
  { "chunks beside a length of nothing", answer("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
    body = "sound" },
  { "chunks", answer("Transfer-Encoding: CHUNKED\r\n", CHUNKS), body = "sound", reusable = true },
  { "chunked named twice", answer("Transfer-Encoding: chunked, chunked\r\n", CHUNKS), body = "sound" },
  { "chunked in two fields", answer("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
    body = "sound" },
  { "trailers", answer("Transfer-Encoding: chunked\r\n", "5\r\nsound\r\n0\r\nX-Odd: 1\r\nContent-Length: 9\r\n\r\n"),
    body = "sound", reusable = true },
  { "HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nsound", body = "sound" },
  { "HTTP/1.0 without a reason", "HTTP/1.0 200\r\nContent-Length: 5\r\n\r\nsound", body = "sound" },
  { "100 before", "HTTP/1.1 100 Continue\r\n\r\n" .. answer "Content-Length: 5\r\n", body = "sound", reusable = true },
  { "102 and 103 before", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Odd: no\r\n\r\n"
    .. answer "Content-Length: 5\r\n", body = "sound", reusable = true },
  { "a folded field", answer "X-Odd: a \r\n\t b\r\nContent-Length: 5\r\n", body = "sound", field = "a b" },
  { "a field that is folded at once", answer "X-Odd:\r\n a\r\nContent-Length: 5\r\n", body = "sound", field = "a" },
  { "a field that is folded in vain", answer "X-Odd: a\r\n \r\nContent-Length: 5\r\n", body = "sound", field = "a" },
  { "bytes beyond ASCII", answer "X-Odd: \195\164\r\nContent-Length: 5\r\n", body = "sound", field = "\195\164",
    reusable = true },

  { "two lengths", answer "Content-Length: 5\r\nContent-Length: 4\r\n", refused = true },
  { "two lengths in one field", answer "Content-Length: 5, 4\r\n", refused = true },
  { "a length with a sign", answer "Content-Length: +5\r\n", refused = true },
  { "a negative length", answer "Content-Length: -5\r\n", refused = true },
  { "a length with a semicolon", answer "Content-Length: 5;\r\n", refused = true },
  { "a length of two words", answer "Content-Length: 5 5\r\n", refused = true },
  { "a hexadecimal length", answer "Content-Length: 0x5\r\n", refused = true },
  { "an empty length", answer "Content-Length:\r\n", refused = true },
  { "a folded length", answer "Content-Length:\r\n 5\r\n", refused = true },
  { "a length that is folded", answer "Content-Length: 5\r\n 5\r\n", refused = true },
  { "a folded coding", answer("Transfer-Encoding:\r\n chunked\r\n", CHUNKS), refused = true },
  { "another coding", answer("Transfer-Encoding: chunked, gzip\r\n", CHUNKS), refused = true },
  { "an unknown coding", answer("Transfer-Encoding: odd\r\nContent-Length: 5\r\n"), refused = true },
  { "chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" .. CHUNKS, refused = true },
  { "a field without a colon", answer "X-Odd\r\nContent-Length: 5\r\n", refused = true },
  { "a blank before a colon", answer "X-Odd : 1\r\nContent-Length: 5\r\n", refused = true },
  { "a blank before a length's colon", answer "Content-Length : 5\r\n", refused = true },
  { "a blank before the first field", answer " X-Odd: 1\r\nContent-Length: 5\r\n", refused = true },
  { "line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 5\n\nsound", refused = true },
  { "one line feed alone", answer "X-Odd: 1\nContent-Length: 5\r\n", refused = true },
  { "a carriage return in a field", answer "X-Odd: 1\r2\r\nContent-Length: 5\r\n", refused = true },
  { "NUL in a field", answer "X-Odd: a\0b\r\nContent-Length: 5\r\n", refused = true },
  { "NUL in a name", answer "X-\0Odd: a\r\nContent-Length: 5\r\n", refused = true },
  { "a folded trailer", answer("Transfer-Encoding: chunked\r\n", "5\r\nsound\r\n0\r\nX-Odd: 1\r\n 2\r\n\r\n"),
    refused = true },
  { "a chunk's size with a sign", answer("Transfer-Encoding: chunked\r\n", "+5\r\nsound\r\n0\r\n\r\n"),
    refused = true },
  { "line feeds alone in chunks", answer("Transfer-Encoding: chunked\r\n", "5\nsound\n0\n\n"), refused = true },
  { "another protocol's version", "HTTP/3 200 OK\r\nContent-Length: 5\r\n\r\nsound", refused = true },
}
