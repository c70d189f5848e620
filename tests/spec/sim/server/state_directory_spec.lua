-- The directory of a served tenant: made once, readable by its user alone.
-- Labels: only-lua5.4
local shell = require "tests.spec.support.process.shell"
local state_directory = require "mde.sim.server.state_directory"

describe("a state directory", function()
  local path

  before_each(function() path = shell.output_of "mktemp -d":gsub("%s+$", "") .. "/a 'directory'" end)
  after_each(function() os.execute("rm -rf " .. shell.quote((path:match "^(.*)/"))) end)

  it("is made with all that is missing, and the same is found in it the next time", function()
    local first, second = state_directory.open(path), state_directory.open(path)
    assert.equal(path, first.directory)
    assert.same(first.identity, second.identity)
    assert.same(first.authority, second.authority)
    assert.equal(first.authority.certificate, shell.read_file(first.ca_file))
    for _, name in ipairs { "tenant_id", "client_id", "client_secret" } do assert.is_string(first.identity[name]) end
  end)

  it("is its user's alone", function()
    state_directory.open(path):set_port(8443)
    assert.equal("", shell.output_of(("find %s -perm /077"):format(shell.quote(path))))
  end)

  it("notes the port, and forgets no other one", function()
    local state = state_directory.open(path)
    assert.is_nil(state:port())
    state:set_port(8443)
    assert.equal(8443, state:port())
    state:clear_port(8444)
    assert.equal(8443, state:port())
    state:clear_port(8443)
    assert.is_nil(state:port())
  end)

  for _, name in ipairs { "tenant.json", "authority.pem" } do
    it("says that it is damaged: " .. name, function()
      state_directory.open(path)
      shell.write_file(path .. "/" .. name, "x")
      local ok, message = pcall(state_directory.open, path)
      assert.is_false(ok)
      assert.truthy(message:find(name .. " is damaged", 1, true), message)
    end)
  end

  it("cannot be where a file is", function()
    assert.has_error(function() state_directory.open "/dev/null/x" end)
  end)
end)
