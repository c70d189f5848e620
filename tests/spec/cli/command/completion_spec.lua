-- mde completion: what makes a shell complete the words of the command.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local environment = require "tests.spec.support.environment"
local process = require "tests.spec.support.process.shell"

describe("mde completion", function()
  for _, shell in ipairs { "bash", "zsh", "fish" } do
    it("knows the subcommands and the options for " .. shell, function()
      local told = console.run { "completion", shell }
      assert.equal(0, told.status, told.err)
      for _, word in ipairs { "restrict", "all-of", "print-env" } do
        assert.truthy(told.out:find(word, 1, true), word)
      end
      assert.is_nil(told.client_options)
    end)
  end

  it("offers no option that is hidden", function()
    local _, count = console.run({ "completion", "fish" }).out:gsub("cancel%-opposite", "")
    assert.equal(3, count) -- of restrict, isolate and contain
  end)

  it("offers files where one is meant alone, and the values of fields that have a choice", function()
    local script = console.run({ "completion", "bash" }).out
    for _, place in ipairs { "restrict --list", "restrict --log", "state --list", "sim --fixture", "sim --dir",
      "sim --arc-directory", "plan --output", "run --journal", "plan ", "run ", "resume ", "stop ", "undo ",
      "undo --journal", "rehearse ", "rehearse --fleet", "rehearse --faults", "rehearse --keep", "watch ",
      "report --html", "report --copy", "report ", "run --audit", "undo --audit", "restrict --audit", "release --audit",
      "resume --audit", "cancel --audit", "hunt --file" } do
      assert.truthy(script:find(("'%s') kind=file ;;"):format(place), 1, true), place)
    end
    assert.equal(57, select(2, script:gsub("kind=file ;;", "")))
    assert.truthy(script:find("'machines riskScore=') kind=word words='None Informational Low Medium High' ;;", 1,
      true))
    assert.is_nil(script:find("computerDnsName=')", 1, true))
  end)

  it("tells the names of the profiles, for the scripts, and what is wrong with the file", function()
    local directory = process.new_directory()
    finally(function()
      environment.restore()
      process.remove(directory)
    end)
    environment.set { XDG_CONFIG_HOME = directory }
    os.execute("mkdir -p " .. process.quote(directory .. "/mde"))
    process.write_file(directory .. "/mde/config", "[fabrikam]\ncap = 1\n[contoso]\n")
    local told = console.run { "completion", "profiles" }
    assert.same({ "contoso\nfabrikam\n", "", 0 }, { told.out, told.err, told.status })
    process.write_file(directory .. "/mde/config", "[fabrikam]\ncap = many\n")
    told = console.run { "completion", "profiles" }
    assert.same({ "", 1 }, { told.out, told.status })
    assert.matches("^mde completion: .*whole number", told.err)
  end)

  it("knows these shells alone", function()
    local told = console.run { "completion", "tcsh" }
    assert.equal(1, told.status)
    assert.matches("must be one of", told.err)
  end)
end)
