-- A query's text as tokens, by the lexical rules of the Kusto Query Language. They were written from the language and
-- not from the client's way of writing literals, so that a mistake in one is not undone by the same mistake here.
--
--   string     = ["h"] ( '"' ... '"' | "'" ... "'" ), with \\ \" \' \a \b \f \n \r \t \v \uHHHH \UHHHHHHHH \xHH \ooo
--              | ["h"] "@" ( '"' ... '"' | "'" ... "'" ), verbatim: a quote inside is doubled
--              | ["h"] ( ``` ... ``` | ~~~ ... ~~~ ), verbatim over several lines
--   call       = ("datetime" | "timespan" | "guid" | "long" | ...) "(" any text but parentheses ")"
--   comment    = "//" up to the end of the line
--
-- Neither of the first two kinds of string holds the end of a line, which U+2028 and U+2029 are, too. Strings that
-- follow each other with nothing but blanks and comments between are one.
local core = require "mde.core"
local literals = require "mde.sim.kql.literal"
local refusal = require "mde.sim.kql.refusal"

local M = {}

---@class mde.sim.kql.token
---@field kind "name"|"string"|"literal"|"end"|string a sign is its own kind
---@field text string as it stands in the query
---@field at integer position of its first byte
---@field value any of a string or literal
---@field type string? of a literal
---@field adjacent boolean nothing stands between it and the one before

-- Beside the ASCII ones: what the language takes for a blank, and for the end of a line.
local wide_blanks = { "\194\160", "\225\154\128", "\225\160\142", "\226\128[\128-\139]", "\226\128\175",
  "\226\129\159", "\227\128\128", "\239\187\191" }
local line_ends = { "[\r\n]", "\226\128[\168\169]" }

local signs = { "==", "=~", "=>", "!=", "!~", "<=", ">=", "<>", "..", "(", ")", "[", "]", "{", "}", "|", ",", ";", ".",
  "+", "-", "*", "/", "%", "<", ">", "=", ":", "?", "@" }

local function find_line_end(text, from)
  local first
  for _, pattern in ipairs(line_ends) do
    local at = text:find(pattern, from)
    if at and (not first or at < first) then first = at end
  end
  return first or #text + 1
end

local function is_line_end(text, at)
  return text:find("^[\r\n]", at) ~= nil or text:find("^\226\128[\168\169]", at) ~= nil
end

-- The position behind blanks, ends of lines and comments.
local function skip(text, at)
  while true do
    local from = at
    at = text:match("^[ \t\r\n\f]*()", at)
    for _, pattern in ipairs(wide_blanks) do at = text:match("^" .. pattern .. "()", at) or at end
    at = text:match("^\226\128[\168\169]()", at) or at
    if text:sub(at, at + 1) == "//" then at = find_line_end(text, at) end
    if at == from then return at end
  end
end

--- Where a position is, as the service says it.
---@param text string
---@param at integer
---@return string "[line,column]"
function M.place(text, at)
  local line, start = 1, 1
  while true do
    local line_end = text:find("\n", start, true)
    if not line_end or line_end >= at then break end
    line, start = line + 1, line_end + 1
  end
  return ("[%d,%d]"):format(line, at - start + 1)
end

--- Refuses a query that cannot be read at a position.
---@param text string
---@param at integer
---@param what string what stands there
function M.refuse(text, at, what)
  refusal.raise("Syntax error: Query could not be parsed at '%s' on line %s. Fix syntax errors in your query.",
    what, M.place(text, at))
end

local simple_escapes = { ["\\"] = "\\", ["'"] = "'", ['"'] = '"', a = "\a", b = "\b", f = "\f", n = "\n", r = "\r",
  t = "\t", v = "\v" }

-- A UTF-16 unit as UTF-8; halves of pairs are put together afterwards.
local function utf8_of(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
  end
  return string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
    0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local four, eight = ("%x"):rep(4), ("%x"):rep(8)

-- The character of the escape at a backslash, and the position behind it; nil if there is no such escape.
local function read_escape(text, at)
  local letter = text:sub(at + 1, at + 1)
  if simple_escapes[letter] then return simple_escapes[letter], at + 2 end
  local high, low = text:match("^\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)", at)
  if high then
    return utf8_of(0x10000 + (tonumber(high, 16) - 0xD800) * 0x400 + tonumber(low, 16) - 0xDC00), at + 12
  end
  local hex = text:match("^\\u(" .. four .. ")", at) or text:match("^\\U(" .. eight .. ")", at)
    or text:match("^\\x(%x%x)", at)
  if hex then
    local code = tonumber(hex, 16)
    if code > 0x10FFFF or (code >= 0xD800 and code <= 0xDFFF) then return nil end
    return utf8_of(code), at + 2 + #hex
  end
  local octal = text:match("^\\([0-3][0-7][0-7])", at) or text:match("^\\([0-7][0-7]?)", at)
  if octal then return utf8_of(tonumber(octal, 8)), at + 1 + #octal end
end

-- A string whose quote stands at `at`: its value, and the position behind it.
local function read_quoted(text, from, at)
  local quote = text:sub(at, at)
  local parts = {}
  at = at + 1
  while true do
    local character = text:sub(at, at)
    if character == quote then return table.concat(parts), at + 1 end
    if character == "" or is_line_end(text, at) then M.refuse(text, from, text:sub(from, at - 1)) end
    if character == "\\" then
      local value, behind = read_escape(text, at)
      if not value then M.refuse(text, at, text:sub(at, at + 1)) end
      parts[#parts + 1], at = value, behind
    else
      parts[#parts + 1], at = character, at + 1
    end
  end
end

local function read_verbatim(text, from, at)
  local quote = text:sub(at, at)
  local parts = {}
  at = at + 1
  while true do
    local character = text:sub(at, at)
    if character == quote and text:sub(at + 1, at + 1) ~= quote then return table.concat(parts), at + 1 end
    if character == "" or is_line_end(text, at) then M.refuse(text, from, text:sub(from, at - 1)) end
    parts[#parts + 1] = character
    at = at + (character == quote and 2 or 1)
  end
end

-- The value of the string that begins at a position, and the position behind it; nil if none does.
local function read_string(text, from)
  local at = text:match("^[hH]()[@\"'`~]", from) or from
  local character = text:sub(at, at)
  if text:find("^@[\"']", at) then return read_verbatim(text, from, at + 1) end
  if character == '"' or character == "'" then return read_quoted(text, from, at) end
  local marks = text:match("^```", at) or text:match("^~~~", at)
  if not marks then return nil end
  local last = text:find(marks, at + 3, true)
  if not last then M.refuse(text, from, marks) end
  return text:sub(at + 3, last - 1), last + 3
end

-- A number, or a span of time as 7d or 1.5h.
local function read_number(text, at)
  local digits = text:match("^%d+%.%d+", at) or text:match("^%d+", at)
  local unit = text:match("^[A-Za-z_][A-Za-z0-9_]*", at + #digits)
  if unit then
    local seconds = literals.units[unit]
    if seconds then return "timespan", core.number.read(digits) * seconds, at + #digits + #unit end
    local exponent = text:match("^[eE][+-]?%d+", at + #digits)
    if not exponent or text:find("^[A-Za-z0-9_]", at + #digits + #exponent) then return nil end
    return "real", core.number.read(digits .. exponent), at + #digits + #exponent
  end
  return digits:find(".", 1, true) and "real" or "long", core.number.read(digits), at + #digits
end

local function read_token(text, at)
  local value, behind = read_string(text, at)
  if value then return { kind = "string", value = value }, behind end
  local name = text:match("^[A-Za-z_$][A-Za-z0-9_]*", at)
  if name then
    behind = at + #name
    local inner = literals.is_type(name) and text:match("^%(([^()]*)%)", behind)
    if inner then
      local kind, literal = literals.read(name, inner)
      if not kind then M.refuse(text, at, name .. "(" .. inner .. ")") end
      return { kind = "literal", type = kind, value = literal }, behind + #inner + 2
    elseif name == "true" or name == "false" then
      return { kind = "literal", type = "bool", value = name == "true" }, behind
    elseif name == "in" and text:sub(behind, behind) == "~" then
      return { kind = "name", name = "in~" }, behind + 1
    end
    return { kind = "name", name = name }, behind
  end
  local negated = text:match("^![a-z_]+~?", at)
  if negated then return { kind = "name", name = negated }, at + #negated end
  if text:find("^%d", at) then
    local kind, number, after = read_number(text, at)
    if kind then return { kind = "literal", type = kind, value = number }, after end
  end
  for _, sign in ipairs(signs) do
    if text:sub(at, at + #sign - 1) == sign then return { kind = sign }, at + #sign end
  end
  M.refuse(text, at, text:match("^[%z\1-\127\194-\244][\128-\191]*", at) or "?")
end

--- The tokens of a query, with one of kind "end" at the end. Refuses what cannot be read.
---@param text string UTF-8
---@return mde.sim.kql.token[]
function M.read(text)
  local tokens, behind = {}, 1
  while true do
    local at = skip(text, behind)
    local last = tokens[#tokens]
    if at > #text then
      tokens[#tokens + 1] = { kind = "end", at = #text + 1, text = "" }
      return tokens
    end
    local token, after = read_token(text, at)
    if token.kind == "string" and last and last.kind == "string" then
      last.value, last.text = last.value .. token.value, text:sub(last.at, after - 1)
    else
      token.at, token.text, token.adjacent = at, text:sub(at, after - 1), at == behind
      tokens[#tokens + 1] = token
    end
    behind = after
  end
end

return M
