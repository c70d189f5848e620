-- profile: the settings of one of several tenants, from the user's configuration file.
-- Labels: not-lua5.3
local certificates = require "tests.spec.support.certificates"
local environment = require "tests.spec.support.environment"
local errors = require "mde.base.error"
local profiles = require "mde.cli.profile"
local shell = require "tests.spec.support.process.shell"

local TENANT, CLIENT = "7e000000-0000-4000-8000-000000000001", "c1000000-0000-4000-8000-000000000002"

describe("a profile", function()
  local directory, variables, path

  before_each(function()
    directory = shell.new_directory()
    os.execute("mkdir -p " .. shell.quote(directory .. "/mde"))
    path = directory .. "/mde/config"
    variables = { XDG_CONFIG_HOME = directory, HOME = "/nonexistent" }
    environment.set(variables)
  end)

  after_each(function()
    environment.restore()
    os.execute("rm -rf " .. shell.quote(directory))
  end)

  local function write(...)
    shell.write_file(path, table.concat({ ... }, "\n") .. "\n")
  end

  -- The error that a file is refused with.
  local function refused(...)
    write(...)
    local ok, err = pcall(profiles.options, "contoso")
    assert.is_false(ok)
    assert.is_true(errors.is(err), tostring(err))
    assert.equal("invalid", err.kind)
    return err
  end

  it("is what stands below its name, and nothing else", function()
    write("# two tenants", "[contoso]", "tenant_id = " .. TENANT, "  client_id=" .. CLIENT .. "  ", "cap = 50",
      "protect.tags = tier0, the vip ", "protect.servers = no", "cloud = gcc\r", "", "[fabrikam]", "cap = 7",
      "limits.per_minute = 300", "limits.per_hour = 4500")
    local options, name = profiles.options "contoso"
    assert.equal("contoso", name)
    assert.same({ tenant_id = TENANT, client_id = CLIENT, cap = 50, cloud = "gcc",
      protect = { tags = { "tier0", "the vip" }, servers = false } }, options)
    assert.same({ cap = 7, limits = { per_minute = 300, per_hour = 4500 } }, (profiles.options "fabrikam"))
  end)

  it("is named by what comes from its files", function()
    local secret = directory .. "/secret"
    shell.write_file(secret, "made-up")
    os.execute("chmod 600 " .. shell.quote(secret))
    write("[contoso]", "client_secret_file = " .. secret)
    assert.equal(('the file "%s" (client_secret_file of the profile "contoso")'):format(secret),
      profiles.options "contoso".credential.source)
    local err = refused("[contoso]", "client_certificate = /nonexistent/one.pem")
    assert.matches('client_certificate of the profile "contoso": ', err.message, 1, true)
    write("[contoso]", "managed_identity = yes")
    assert.is_nil(profiles.options "contoso".credential.source)
    write("[contoso]", "managed_identity = no")
    assert.is_nil(profiles.options "contoso".credential)
  end)

  it("that is misspelt is told the nearest", function()
    write("[contoso]", "[fabrikam]")
    local _, err = pcall(profiles.options, "Contoso")
    assert.equal('Did you mean "contoso"?', err.hint)
    _, err = pcall(profiles.options, "northwind")
    assert.equal("There are contoso, fabrikam.", err.hint)
  end)

  it("says yes and no in whatever case", function()
    for word, wanted in pairs { Yes = true, TRUE = true, NO = false, False = false } do
      write("[contoso]", "protect.servers = " .. word)
      assert.equal(wanted, profiles.options "contoso".protect.servers, word)
    end
  end)

  it("has a name, which is told with all the others", function()
    write "# nothing yet"
    assert.same({}, profiles.names())
    write("[fabrikam]", "[contoso]", "cap = 1", "[Eu-1.test_2]")
    assert.same({ "Eu-1.test_2", "contoso", "fabrikam" }, profiles.names())
    write("[contoso]", "cap = many")
    assert.has_error(profiles.names)
  end)

  it("may have the chain of its certificate sent, and only of a certificate", function()
    local one = certificates.new()
    finally(certificates.remove)
    for value, expected in pairs { yes = true, no = false } do
      write("[contoso]", "client_certificate = " .. one.path, "send_certificate_chain = " .. value)
      local options = profiles.options "contoso"
      assert.is_nil(options.send_certificate_chain)
      local names = {}
      for _, fact in ipairs(options.credential:about()) do names[fact.name] = true end
      assert.equal(expected, names["chain sent"] == true)
    end
    local err = refused("[contoso]", "client_secret_file = " .. one.path, "send_certificate_chain = yes")
    assert.equal("profile_malformed", err.code)
    assert.matches("without client_certificate", err.message, 1, true)
  end)

  it("may sign in at a host without its scheme", function()
    write("[contoso]", "tenant_id = " .. TENANT, "client_id = " .. CLIENT,
      "authority = login.microsoftonline.us/" .. TENANT)
    local options = profiles.options "contoso"
    options.credential, options.driver = "a made-up value", { send = print }
    assert.equal("https://login.microsoftonline.us", require("mde").client(options).exchange.authority)
  end)

  it("may begin with a byte order mark, and is not read as UTF-16", function()
    write("\239\187\191[contoso]\r", "cap = 50\r")
    assert.same({ cap = 50 }, (profiles.options "contoso"))
    local err = refused("\255\254[\0c\0]\0")
    assert.equal("profile_unreadable", err.code)
    assert.matches("UTF-16", err.message, 1, true)
  end)

  it("is chosen by MDE_PROFILE, which --profile overrides; without them there is no file to read", function()
    assert.same({}, (profiles.options(nil)))
    write("\239\187\191[a]", "cap = 1", "[b]", "cap = 2")
    variables.MDE_PROFILE = "a"
    assert.same({ cap = 1 }, (profiles.options(nil)))
    assert.same({ cap = 2 }, (profiles.options "b"))
  end)

  it("is looked for below HOME where XDG_CONFIG_HOME is not set", function()
    os.execute("mkdir -p " .. shell.quote(directory .. "/.config/mde"))
    shell.write_file(directory .. "/.config/mde/config", "[a]\ncap = 3\n")
    variables.XDG_CONFIG_HOME, variables.HOME = nil, directory
    assert.same({ cap = 3 }, (profiles.options "a"))
    variables.HOME = nil
    local ok, err = pcall(profiles.options, "a")
    assert.is_false(ok)
    assert.equal("profile_unreadable", err.code)
  end)

  it("says where a secret is, and never what it is", function()
    local file = directory .. "/secret"
    shell.write_file(file, "planted-value\n")
    os.execute("chmod 600 " .. shell.quote(file))
    write("[contoso]", "client_secret_file = " .. file)
    assert.equal("function", type(profiles.options("contoso").credential.ask))
    for _, name in ipairs { "client_secret", "credential", "password", "Secret", "access_token" } do
      local err = refused("[contoso]", name .. " = planted-value")
      assert.equal("profile_malformed", err.code)
      assert.matches("would be a secret", err.message)
      assert.is_nil(tostring(err):find("planted-value", 1, true))
    end
  end)

  it("has no password in an address", function()
    for _, name in ipairs { "proxy", "authority", "base_url", "graph_url" } do
      local err = refused("[contoso]", name .. " = http://kim:planted-value@proxy.corp.example:3128")
      assert.equal("profile_malformed", err.code)
      assert.matches("line 2 .*: " .. name .. " has a password", err.message)
      assert.is_nil(tostring(err):find("planted-value", 1, true))
    end
    write("[contoso]", "proxy = http://proxy.corp.example:3128")
    assert.equal("http://proxy.corp.example:3128", profiles.options("contoso").proxy)
  end)

  for what, case in pairs {
    ["a setting that there is not"] = { { "[contoso]", "tenantid = x" }, 'line 2 .*no setting "tenantid"' },
    ["a setting of no profile"] = { { "cap = 1", "[contoso]" }, "line 1 .*before the first" },
    ["a setting without a value"] = { { "[contoso]", "cap =" }, "line 2 .*no value" },
    ["a setting twice"] = { { "[contoso]", "cap = 1", "cap = 2" }, "line 3 .*twice" },
    ["a profile twice"] = { { "[contoso]", "[contoso]" }, "line 2 .*second profile" },
    ["a number that cannot be read"] = { { "[contoso]", "cap = many" }, "line 2 .*whole number" },
    ["a flag that is neither"] = { { "[contoso]", "protect.servers = maybe" }, 'line 2 .*yes or no, not "maybe"' },
    ["a line that is nothing"] = { { "[contoso]", "oops \27[2J" }, "line 2 .*it is no " },
    ["two credentials"] = { { "[contoso]", "managed_identity = yes", "client_secret_file = /x" }, "has both" },
    ["another name"] = { { "[contosa]", "cap = 1" }, 'no profile "contoso"' },
  } do
    it("is refused for " .. what, function()
      assert.matches(case[2], refused(case[1][1], case[1][2], case[1][3]).message)
    end)
  end

  it("is refused in a file that others may write, or that is not there", function()
    write("[contoso]", "cap = 1")
    local ok, err
    for mode, words in pairs { ["666"] = "everybody on this machine may write it",
      ["664"] = "may be written by others than its owner: chmod 600 it" } do
      os.execute(("chmod %s %s"):format(mode, shell.quote(path)))
      ok, err = pcall(profiles.options, "contoso")
      assert.is_false(ok)
      assert.equal("profile_unreadable", err.code)
      assert.matches(words, err.message)
    end
    os.execute("chmod 644 " .. shell.quote(path))
    assert.same({ cap = 1 }, (profiles.options "contoso"))
    os.remove(path)
    ok, err = pcall(profiles.options, "contoso")
    assert.is_false(ok)
    assert.matches("No such file", err.message)
    assert.matches("leave out --profile and MDE_PROFILE", err.hint, 1, true)
  end)
end)
