--- mde man: writes the manual page mde(1), from the same tables as --help.

local core = require "mde.core"
local exit = require "mde.cli.ui.exit"
local output = require "mde.cli.ui.output"
local roff = require "mde.cli.ui.roff"

local M = {
  name = "man",
  summary = "Write the manual page mde(1), for man.",
  needs_no_client = true,
  has_plain_process = true,
  examples = {
    { "mde man | man -l -", "shows it" },
    { "mde man >~/.local/share/man/man1/mde.1", "keeps it where man finds it" },
  },
}

-- What the environment may say.
local environment = {
  { "AZURE_TENANT_ID", "The tenant's GUID or verified domain." },
  { "AZURE_CLIENT_ID", "The application's GUID." },
  { "AZURE_CLIENT_SECRET", "The value of a client secret, not its id." },
  { "MDE_CLIENT_SECRET_FILE", "A file with the client secret instead." },
  { "AZURE_CLIENT_CERTIFICATE_PATH", "A file with a certificate and its private key instead of a secret." },
  { "AZURE_CLIENT_CERTIFICATE_PASSWORD", "The password of that private key." },
  { "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "1: send the certificate with its chain, for trust in a subject name." },
  { "AZURE_FEDERATED_TOKEN_FILE", "A file with a federated token instead of a secret." },
  { "AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential for a managed identity." },
  { "AZURE_AUTHORITY_HOST", "Another place to sign in: login.microsoftonline.us." },
  { "MDE_CLOUD", "gcc, gcc_high or dod." },
  { "MDE_BASE_URL", "Another host of the service, a geographic one say." },
  { "MDE_SCOPE", "The scope of the token, if another one is needed." },
  { "MDE_GRAPH_URL", "Microsoft Graph; needed beside an MDE_BASE_URL that is not Microsoft's." },
  { "MDE_GRAPH_SCOPE", "The scope of the token for Microsoft Graph, if another one is needed." },
  { "MDE_STORE", "A file by which the processes of a machine keep the service's limits together." },
  { "MDE_PROFILE", "The profile whose settings count, where --profile names none." },
  { "MDE_LOG", "json: write every request, answer, retry and wait to standard error, redacted." },
  { "SSL_CERT_FILE", "The certificates to trust, in one PEM file." },
  { "SSL_CERT_DIR", "The same in directories with colons between them, named by openssl rehash." },
  { "https_proxy", "The proxy for https, http://[user:password@]host[:port], user and password percent-encoded; "
    .. "no_proxy names the hosts that it is not for." },
  { "NO_COLOR", "Set to anything: errors are not shown in red, nor headings in bold." },
  { "XDG_CONFIG_HOME", "Below it stand the profiles, in mde/config." },
  { "XDG_STATE_HOME", "Below it mde sim keeps its tenant." },
}

local files = {
  { "~/.local/state/mde/sim", "The keys, ids and the secret of the simulated tenant: $XDG_STATE_HOME/mde/sim, or what "
    .. "--dir of mde sim names." },
  { "~/.config/mde/config", "The profiles: $XDG_CONFIG_HOME/mde/config." },
  { "~/.local/share/bash-completion/completions/mde", "What mde completion bash writes; mde completion --help has the "
    .. "places for other shells." },
}

--- Declares nothing, as there is nothing to choose.
function M.configure() end

-- The day it was made, or the one that a build of a package gives.
local function date()
  local given = core.number.read(os.getenv "SOURCE_DATE_EPOCH" or "")
  return (given and core.timestamp.whole(given) or core.timestamp.whole(os.time())):sub(1, 10)
end

local function visible(elements)
  local list = {}
  for _, element in ipairs(elements) do
    if not element._hidden then list[#list + 1] = element end
  end
  return list
end

local function label_of(element)
  if not element._aliases then return roff.italic(element:_get_usage()) end
  local names = {}
  for i, alias in ipairs(element._public_aliases) do names[i] = roff.bold(alias) end
  local value = table.concat(element:_get_argument_list(), " ")
  return table.concat(names, ", ") .. (value ~= "" and " " .. roff.italic(value) or "")
end

local function entries_of(elements)
  local parts = {}
  for _, element in ipairs(visible(elements)) do
    parts[#parts + 1] = roff.entry(label_of(element), element:_get_description())
  end
  return table.concat(parts)
end

local function usage_of(parser)
  return roff.filled((parser:get_usage():gsub("^Usage: ", "")))
end

-- What the help says below the options, without the exit status, which has a section of its own.
local function explained(parser)
  local text = parser._epilog or ""
  local from = text:find(exit.explained, 1, true)
  return roff.paragraphs(from and text:sub(1, from - 1) or text)
end

local function command_section(command)
  return (".SS mde %s\n"):format(roff.escape(command._name)) .. roff.filled(command:_get_description()) .. ".PP\n"
    .. usage_of(command) .. entries_of(command._arguments) .. entries_of(command._options) .. explained(command)
end

-- `   3    what it means`, the lines below which go on with it.
local function exit_statuses()
  local parts, last = {}, nil
  for text in exit.explained:gmatch "[^\n]+" do
    local number, meaning = text:match "^ +(%d+) +(.*)$"
    local more = text:match "^      +(%S.*)$"
    if number then
      last = { number, meaning }
      parts[#parts + 1] = last
    elseif last and more then
      last[2] = last[2] .. " " .. more
    end
  end
  for i, part in ipairs(parts) do parts[i] = roff.entry(roff.bold(part[1]), part[2]) end
  return table.concat(parts) .. ".PP\nOf several devices the highest counts.\n"
end

local function list(entries)
  local parts = {}
  for i, entry in ipairs(entries) do parts[i] = roff.entry(roff.bold(entry[1]), entry[2]) end
  return table.concat(parts)
end

-- The whole page.
local function page(parser)
  local parts = {
    (".TH MDE 1 %s %s %s\n"):format(date(), ('"%s"'):format(roff.escape(require("mde")._VERSION)),
      '"User Commands"'),
    ".SH NAME\nmde \\- contain compromised devices through Microsoft Defender for Endpoint\n",
    ".SH SYNOPSIS\n", usage_of(parser),
    ".SH DESCRIPTION\n", (roff.paragraphs(parser._description):gsub("^%.PP\n", "")),
    ".SH OPTIONS\n", entries_of(parser._options),
    ".SH COMMANDS\n",
  }
  for _, command in ipairs(visible(parser._commands)) do parts[#parts + 1] = command_section(command) end
  parts[#parts + 1] = ".SH EXIT STATUS\n" .. exit_statuses()
  parts[#parts + 1] = ".SH ENVIRONMENT\n" .. list(environment)
  parts[#parts + 1] = ".SH FILES\n" .. list(files)
  parts[#parts + 1] = ".SH EXAMPLES\n" .. (explained(parser):gsub("^%.PP\n", ""))
  return table.concat(parts)
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  output.write(page(context.parser))
  return 0
end

return M
