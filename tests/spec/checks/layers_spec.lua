-- tests/checks/layers: it passes for the project, and names what points up, or aside, in a copy of some of its files.
-- Labels: only-lua5.4

local shell = require "tests.spec.support.process.shell"

local CHECK = "lua5.4 tests/checks/layers"

local function run(directory)
  local errors = os.tmpname()
  local output = shell.output_of(("%s '%s' 2>'%s'; echo \"status $?\""):format(CHECK, directory, errors))
  local complaints = shell.read_file(errors)
  os.remove(errors)
  return tonumber(output:match "status (%d+)"), output, complaints
end

describe("the check of the layers", function()
  local directory

  before_each(function()
    directory = shell.new_directory()
    os.execute(("cd '%s' && mkdir -p lua/mde src"):format(directory))
  end)

  after_each(function() shell.remove(directory) end)

  -- A file of the project with a line more. What the check says of it needs no other file, but the headers of the C.
  local function append(path, line)
    os.execute(("mkdir -p '%s/%s'"):format(directory, path:match "^(.*)/"))
    shell.write_file(directory .. "/" .. path, assert(shell.read_file(path)) .. "\n" .. line .. "\n")
  end

  local function with_headers() os.execute(("cp --parents src/*/*.h '%s'"):format(directory)) end

  it("passes, and prints each layer", function()
    local status, output = run "."
    assert.equal(0, status)
    for _, layer in ipairs { "base", "audit", "query", "driver", "sync", "request", "auth", "api", "hunting",
      "device", "action", "watch", "public", "cli", "sim" } do
      assert.matches("\n?" .. layer .. " +%d+ files +%d+ lines", output)
    end
  end)

  local upward = {
    base = { "base/error.lua", "audit.ocsf" }, audit = { "audit/ocsf.lua", "query.filter" },
    query = { "query/filter.lua", "driver.loop" },
    driver = { "driver/curl.lua", "sync.store" }, sync = { "sync/store.lua", "request.limiter" },
    request = { "request/request.lua", "auth.claims" }, auth = { "auth/token_source.lua", "api.exchange" },
    api = { "api/pager.lua", "device.machine" }, device = { "device/device.lua", "action.guard" },
    action = { "action/change.lua", "client" }, public = { "client.lua", "cli.batch.list" },
  }
  for layer, case in pairs(upward) do
    it("fails for what points up from " .. layer, function()
      append("lua/mde/" .. case[1], ('local above = require "mde.%s"'):format(case[2]))
      local status, _, complaints = run(directory)
      assert.equal(1, status)
      assert.matches(("lua/mde/%s (%s) requires mde.%s"):format(case[1], layer, case[2]), complaints, 1, true)
    end)
  end

  it("fails for the simulated tenant where it does not belong, and for what it may not know", function()
    append("lua/mde/action/change.lua", 'require("mde.sim.model.tenant")')
    append("lua/mde/sim/model/tenant.lua", 'require "mde.device.device"')
    local status, _, complaints = run(directory)
    assert.equal(1, status)
    assert.matches("change.lua (action) requires mde.sim.model.tenant", complaints, 1, true)
    assert.matches("tenant.lua (sim) requires mde.device.device", complaints, 1, true)
  end)

  for _, inside in ipairs { "client", "doctor", "action.guard", "device.list", "query.filter", "sync.job_pool" } do
    it("fails for a command that requires mde." .. inside, function()
      append("lua/mde/cli/command/restrict.lua", ('local inside = require "mde.%s"'):format(inside))
      local status, _, complaints = run(directory)
      assert.equal(1, status)
      assert.matches(("lua/mde/cli/command/restrict.lua (cli) requires mde.%s"):format(inside), complaints, 1, true)
    end)
  end

  it("passes for a command that requires the public API, what lies at the base, the simulated tenant and C", function()
    append("lua/mde/cli/command/restrict.lua", 'require "mde" require "mde.base.json" require "mde.core"')
    append("lua/mde/cli/command/sim.lua", 'require "mde.sim"')
    assert.equal(0, (run(directory)))
  end)

  it("fails for what requires the public API from below", function()
    append("lua/mde/action/change.lua", 'local mde = require "mde"')
    local status, _, complaints = run(directory)
    assert.equal(1, status)
    assert.matches("lua/mde/action/change.lua (action) requires mde (public)", complaints, 1, true)
  end)

  it("fails for a core that reaches out", function()
    with_headers()
    append("src/core/history.c", '#include "compat.h"')
    local status, _, complaints = run(directory)
    assert.equal(1, status)
    assert.matches("src/core/history.c includes compat.h of src/binding", complaints, 1, true)
  end)

  for _, folder in ipairs { "core", "binding" } do
    for _, header in ipairs { "unistd.h", "fcntl.h", "sys/stat.h", "time.h", "signal.h", "pthread.h", "locale.h",
      "sys/types.h" } do
      it(("fails for a src/%s that includes %s"):format(folder, header), function()
        append(("src/%s/history.c"):format(folder), ("#  include <%s>"):format(header))
        local status, _, complaints = run(directory)
        assert.equal(1, status)
        assert.matches(("src/%s/history.c includes %s"):format(folder, header), complaints, 1, true)
      end)
    end

    it(("fails for a src/%s that reads or writes a file"):format(folder), function()
      append(("src/%s/history.c"):format(folder), 'static FILE *file;\nvoid say(void) { fprintf(file, "aloud"); }')
      local status, _, complaints = run(directory)
      assert.equal(1, status)
      assert.matches(("src/%s/history.c has FILE"):format(folder), complaints, 1, true)
      assert.matches(("src/%s/history.c has fprintf"):format(folder), complaints, 1, true)
    end)
  end

  it("does not mind what a comment or a text says of files", function()
    with_headers()
    append("src/core/history.c", [[/* A FILE. */ static const char *word = "a \"FILE\"", mark = '"', *out = "stdout";]])
    assert.equal(0, (run(directory)))
  end)

  it("lets src/posix include what it wants", function()
    append("src/posix/clock.c", "#include <sys/timerfd.h>")
    assert.equal(0, (run(directory)))
  end)
end)
