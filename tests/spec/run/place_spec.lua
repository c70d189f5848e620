-- Where the records of runs lie, and what stands beside each.
local environment = require "tests.spec.support.environment"
local place = require "mde.run.place"

local ID = "20260203T031500Z-7f3a"

local function with(variables, fn)
  environment.set(variables)
  local ok, problem = pcall(fn)
  environment.restore()
  if not ok then error(problem, 0) end
end

describe("the directory of runs", function()
  for _, case in ipairs {
    { { XDG_STATE_HOME = "/state", HOME = "/home/a" }, "/state/mde/runs" },
    { { HOME = "/home/a" }, "/home/a/.local/state/mde/runs" },
    -- A relative one is to be ignored: the XDG specification.
    { { XDG_STATE_HOME = "state", HOME = "/home/a" }, "/home/a/.local/state/mde/runs" },
  } do
    it("is " .. case[2], function()
      with(case[1], function() assert.equal(case[2], (place.directory())) end)
    end)
  end

  it("is unknown without HOME, which is said", function()
    with({}, function()
      local path, err = place.directory()
      assert.is_nil(path)
      assert.equal("no_state_directory", err.code)
      assert.equal(err.code, select(2, place.record_of(ID)).code)
      -- A path needs no directory.
      assert.equal("here.db", place.record_of "here.db")
      assert.equal("here.db", place.name_of "here.db")
    end)
  end)
end)

describe("a run", function()
  it("has an id of its time and of chance", function()
    local ids, count = {}, 0
    for _ = 1, 20 do
      local id = assert(place.new_id(1770088500.75))
      assert.matches("^20260203T031500Z%-%x%x%x%x$", id)
      if not ids[id] then count = count + 1 end
      ids[id] = true
    end
    assert.is_true(count > 15)
  end)

  it("is called by its id where it lies among all, else by its path", function()
    with({ XDG_STATE_HOME = "/state" }, function()
      local path = "/state/mde/runs/" .. ID .. ".db"
      assert.equal(path, place.record_of(ID))
      assert.equal(ID, place.name_of(path))
      for _, other in ipairs { "/elsewhere/" .. ID .. ".db", "/state/mde/runs/plan.db", "/state/mde/runs/" .. ID,
        "/state/mde/runs/below/" .. ID .. ".db", "./" .. ID .. ".db" } do
        assert.equal(other, place.name_of(other))
        assert.equal(other, place.record_of(other))
      end
    end)
  end)

  it("has its lock and its stop file beside it", function()
    assert.equal("a/run.lock", place.lock_of "a/run.db")
    assert.equal("a/run.stop", place.stop_of "a/run.db")
    assert.equal("a/plan.lock", place.lock_of "a/plan")
  end)
end)
