--- ca_bundle: the certificates to trust, in a file or in OpenSSL's directories, looked at before they are needed.
--
-- A TLS library reads them at the first connection and then says little, or leaves out in silence what it cannot read;
-- by then a playbook is under way.

local errors = require "mde.base.error"
local posix = require "mde.posix"

-- Every authority of the world fits into a fraction of this.
local MAX_BYTES = 64 * 1024 * 1024

local HINT = "Give the path of a PEM file with the certificates to trust."
local ALONE = "Each of the lines BEGIN CERTIFICATE and END CERTIFICATE has to stand alone."

local M = {}

-- The content of a file | nil and why it cannot be had.
local function read(path)
  local file, problem = io.open(path, "rb")
  if not file then return nil, problem end
  local content
  content, problem = file:read(MAX_BYTES)
  file:close()
  return content, problem or "it is empty"
end

-- Whether there is a certificate in it; one is a DER sequence longer than 255 bytes, which begins with MI in base64.
local function has_certificate(content)
  for label, body in content:gmatch "%-%-%-%-%-BEGIN ([A-Z%d ]+)%-%-%-%-%-%s+([A-Za-z0-9+/=%s]+)%-%-%-%-%-END " do
    if (label == "CERTIFICATE" or label == "TRUSTED CERTIFICATE" or label == "X509 CERTIFICATE")
      and body:find "^MI" then
      return true
    end
  end
  return false
end

-- ---- what a TLS library would trip over

local function line_of(content, position)
  local _, ends = content:sub(1, position - 1):gsub("\n", "")
  return ends + 1
end

-- What stands before a position on its line.
local function before_on_line(content, position)
  return content:sub(math.max(1, position - 200), position - 1):match("[^\n]*$"):gsub("^\239\187\191", "")
end

-- What is wrong with the line that a marker stands on, behind `before`, and which ends before `behind`.
local function flaw_of_line(content, before, behind)
  local rest = content:sub(behind, behind + 200):match "^[^\n]*"
  if rest:find "^%s*\\+[nr]" or before:find "\\+[nr]%s*$" then
    return "its line ends are written as \\n, a backslash and a letter",
      "Write it once more with true ones: printf %b \"$VARIABLE\" >FILE."
  elseif rest:find "^%s*%-%-%-%-%-BEGIN " then
    return "END and BEGIN stand on one line", "Put a line end between them. " .. ALONE
  elseif before:find "%S" or rest:find "%S" then
    return "its lines have become one", ALONE
  elseif before ~= "" then
    return "it does not begin with its dashes", "Take away what stands before them. " .. ALONE
  end
end

-- The first flaw of a PEM text and what to do about it; nil for a sound one.
local function flaw_of(content, library)
  if content:find "^\255\254" or content:find "^\254\255" or content:find "%-%z%-%z%-" then
    return "is UTF-16", "Save it as ASCII or UTF-8."
  elseif library and library:find "OpenSSL/1" and content:find "^\239\187\191%-%-%-%-%-BEGIN" then
    return "begins with a byte order mark, behind which the first certificate is not seen",
      "Save it without one, as ASCII or as UTF-8 without BOM."
  end
  local open, opened
  for position, word, label, behind in content:gmatch "()%-%-%-%-%-([A-Z]+) ([A-Z%d ]+)%-%-%-%-%-()" do
    local before = before_on_line(content, position)
    local is_note = before:find("#", 1, true) ~= nil
    if not is_note and (word == "BEGIN" or word == "END") then
      local flaw, hint = flaw_of_line(content, before, behind)
      if flaw then return ("has a flaw in line %d: %s"):format(line_of(content, position), flaw), hint end
      if open and (word == "BEGIN" or label ~= open) then break end
      open, opened = word == "BEGIN" and label or nil, position
    end
  end
  if open then
    return ("has a line %d, BEGIN %s, without its END"):format(line_of(content, opened), open),
      "It was cut: get it once more, whole."
  end
end

--- Raises unless a file has certificates to trust, each of which a TLS library sees.
---@param path string
---@param name string by which the user named it, for the error
---@param library? string the TLS library that reads it, "libcurl/7.88.1 OpenSSL/3.0.9"; nil: any
---@return string path
function M.check(path, name, library)
  local content, problem = read(path)
  if not content then
    errors.invalid("ca_file_unreadable",
      ("%s is %s, which cannot be read (%s)"):format(name, errors.quote(path), errors.show(problem)), HINT)
  end
  local flaw, what_to_do = flaw_of(content, library)
  if flaw then
    errors.invalid("ca_file_malformed", ("%s is %s, which %s"):format(name, errors.quote(path), flaw), what_to_do)
  elseif not has_certificate(content) then
    errors.invalid("ca_file_without_certificate",
      ("%s is %s, in which there is no PEM certificate"):format(name, errors.quote(path)),
      HINT .. " Such a one has lines BEGIN CERTIFICATE and END CERTIFICATE.")
  end
  return path
end

-- ---- directories

-- Those that have certificates, and why each other one has none. OpenSSL passes the others over, and so do we, as long
-- as there is something to trust.
local function look_at(list)
  local found, problems = 0, {}
  for directory in list:gmatch "[^:]+" do
    local count, problem = posix.certificate_directory.count(directory)
    found = found + (count or 0)
    if count == 0 then problem = "no file in it has a hashed name, 5ed36f99.0 say" end
    problems[#problems + 1] = problem and ("%s: %s"):format(errors.quote(directory), errors.show(problem))
  end
  return found, problems
end

--- Raises unless OpenSSL finds certificates to trust in at least one of several directories.
---@param list string with colons between them
---@param name string
---@return string list
function M.check_directories(list, name)
  local found, problems = look_at(list)
  if found == 0 then
    errors.invalid("ca_directory_without_certificate",
      ("%s is %s, in which OpenSSL finds no certificate (%s)"):format(name, errors.quote(list),
        problems[1] and table.concat(problems, ", ") or "it names no directory"),
      "Give the certificates their names by: openssl rehash DIRECTORY. Or name one file that has them all: "
        .. "SSL_CERT_FILE.")
  end
  return list
end

--- What the environment names, by the variables that OpenSSL reads. Raises for what is of no use.
---@param library string the TLS library that reads it, "libcurl/7.88.1 OpenSSL/3.0.9"
---@return string? file of SSL_CERT_FILE
---@return string? directories of SSL_CERT_DIR, with colons between them
function M.of_environment(library)
  local file, directories = os.getenv "SSL_CERT_FILE", os.getenv "SSL_CERT_DIR"
  if file == "" then file = nil end
  if directories == "" then directories = nil end
  if file then M.check(file, "SSL_CERT_FILE", library) end
  if directories and not library:find "SSL" and not library:find "AWS%-LC" then
    if file then return file, nil end
    errors.invalid("ca_directory_unsupported",
      ("SSL_CERT_DIR is set, and %s does not read directories as OpenSSL does"):format(errors.show(library)),
      "Name one file with the certificates to trust: SSL_CERT_FILE.")
  end
  if directories and not file then M.check_directories(directories, "SSL_CERT_DIR") end
  return file, directories
end

---@class mde.Authorities
---@field path string a file, or directories with colons between them
---@field source string by which name the user set it

--- What a driver tells of what it trusts.
---@param file? string
---@param directories? string of SSL_CERT_DIR
---@param source? string what named the file, default SSL_CERT_FILE
---@return mde.Authorities[]
function M.about(file, directories, source)
  local list = {}
  if file then list[1] = { path = file, source = source or "SSL_CERT_FILE" } end
  if directories then list[#list + 1] = { path = directories, source = "SSL_CERT_DIR" } end
  return list
end

return M
