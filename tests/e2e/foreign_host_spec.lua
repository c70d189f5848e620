-- A host that is no host of Microsoft's is named on standard error before it is sent anything, whatever the subcommand.
-- Labels: only-lua5.4

local commands = require "tests.spec.support.process.command"

local lines_of = commands.lines_of
local scene = commands.scene()
local tenant, command = scene.tenant, scene.command

local ACTION = "5382f7ea-7557-4ab7-9782-d50480024a4e"

-- Each subcommand that signs in, as nobody is asked anything.
local signing_in = {
  { "restrict", "laptop-17", "--comment", "x", "--yes" },
  { "restrict", "laptop-17", "--comment", "x", "--yes", "--quiet" },
  { "restrict", "laptop-17", "desk-5", "--comment", "x", "--yes", "--json" },
  { "release", "laptop-17", "--comment", "x", "--yes", "--quiet" },
  { "release", "--all-of", "INC-1", "--comment", "x", "--yes" },
  { "state", "laptop-17" }, { "report", "INC-1" }, { "machines", "--all" }, { "actions", "--all" },
  { "action", ACTION }, { "cancel", ACTION, "--comment", "x" },
  { "tag", "laptop-17", "x" }, { "untag", "laptop-17", "x", "--quiet" }, { "doctor" }, { "doctor", "--json" },
}

describe("mde names a host that is no host of Microsoft's before anything is sent:", function()
  for _, words in ipairs(signing_in) do
    it("mde " .. table.concat(words, " "), function()
      -- The sign-in is refused at once, so the name is there before the token is.
      local result = command.run(words, { environment = { MDE_BASE_URL = "https://api.example.invalid",
        AZURE_CLIENT_SECRET = "not the right one" } })
      assert.equal("mde: warning: api.example.invalid receives the token and is no host of Microsoft's (MDE_BASE_URL)",
        lines_of(result.err)[1])
      assert.equal(0, #tenant.history "token_issued")
    end)
  end

  it("also the one that is sent the token, and both where there are two", function()
    local result = command.run({ "state", "laptop-17" }, { environment = {
      AZURE_AUTHORITY_HOST = "https://login.example.invalid", MDE_BASE_URL = "https://api.example.invalid:8443" } })
    local lines = lines_of(result.err)
    commands.has(lines[1], "login.example.invalid receives the credential")
    assert.equal("mde: warning: api.example.invalid:8443 receives the token and is no host of Microsoft's "
      .. "(MDE_BASE_URL)", lines[2])
  end)

  it("with the profile that chose it", function()
    command.file("secret", "a-secret-of-the-profile")
    os.execute("mkdir -p " .. command.directory .. "/mde; chmod 600 " .. command.directory .. "/secret")
    command.file("mde/config", "[lab]\nauthority = https://login.example.invalid\nclient_secret_file = "
      .. command.directory .. "/secret\n")
    local result = command.run({ "state", "laptop-17", "--profile", "lab" },
      { environment = { XDG_CONFIG_HOME = command.directory, AZURE_CLIENT_SECRET = "" } })
    assert.equal("mde: warning: profile lab: login.example.invalid receives the credential and is no host of "
      .. "Microsoft's (option \"authority\")", lines_of(result.err)[1])
  end)

  it("but not the simulated tenant on this machine", function()
    commands.has_not(command.run({ "state", "laptop-17" }).err, "Microsoft")
  end)
end)
