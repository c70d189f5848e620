-- The report of a run as one page of HTML: what is on it, in which order, and that nothing in it acts.
local accounts = require "mde.run.account"
local core = require "mde.core"
local crypto = require "mde.crypto"
local markup = require "tests.spec.support.markup"
local page = require "mde.cli.report.page"
local readings = require "mde.run.reading"
local recorded = require "tests.spec.support.recorded"
local shell = require "tests.spec.support.process.shell"

describe("the page of a run", function()
  local directory, count

  before_each(function() directory, count = shell.new_directory_in_memory(), 0 end)

  after_each(function() shell.remove(directory) end)

  local function account(told)
    count = count + 1
    local path = ("%s/%d.db"):format(directory, count)
    recorded.write(path, told)
    return accounts.of(assert(readings.read(path)))
  end

  local function written(told, verification, life)
    local own, parts = told.run and told.run.made_at and told or account(told), {}
    own.run.life = life
    page.write(function(...)
      for i = 1, select("#", ...) do parts[#parts + 1] = (select(i, ...)) end
    end, { account = own, verification = verification, made_at = 1796000000 })
    local html = table.concat(parts)
    return html, markup.read(html)
  end

  -- All that a page may consist of.
  local allowed = {}
  for name, attributes in pairs {
    html = "lang", head = "", meta = "http-equiv content charset name", title = "id", style = "", body = "",
    header = "", h1 = "", h2 = "id", h3 = "", p = "class", div = "class", code = "class", strong = "", em = "",
    nav = "aria-label", ul = "", li = "", a = "href", main = "", section = "aria-labelledby", table = "class",
    caption = "class", thead = "", tbody = "class", tr = "", th = "scope class", td = "class colspan",
    span = "class aria-hidden", small = "", br = "", time = "datetime", figure = "", dl = "", dt = "", dd = "",
    pre = "tabindex", footer = "",
    svg = "viewBox role aria-labelledby", desc = "id", line = "class x1 y1 x2 y2", text = "x y text-anchor",
    rect = "class x y width height", polyline = "class points",
  } do
    allowed[name] = {}
    for attribute in attributes:gmatch "%S+" do allowed[name][attribute] = true end
  end

  local function assert_harmless(html, tags)
    for _, tag in ipairs(tags) do
      local name = tag.name:gsub("^/", "")
      if not allowed[name] then error("a tag that does not belong there: " .. tag.name) end
      for attribute, value in pairs(tag.attributes) do
        if not allowed[name][attribute] or attribute == "href" and not value:find "^#%l+$"
          or attribute == "class" and not value:find "^[%l ]+$" then
          error(('<%s %s="%s">'):format(name, attribute, value))
        end
      end
    end
    assert.is_nil(html:find("<script", 1, true))
    -- Nothing that acts on a terminal, turns a line around or does not show.
    for line in html:gmatch "[^\n]+" do
      if line ~= core.show.line(line) then error("it is not safe to show: " .. core.show.line(line)) end
    end
    local policy = tags[3].attributes
    assert.equal("Content-Security-Policy", policy["http-equiv"])
    local digest = policy.content:match
      "^default%-src 'none'; style%-src 'sha256%-([%w+/=]+)'; base%-uri 'none'; form%-action 'none'$"
    local styles = markup.named(tags, "style")
    assert.equal(1, #styles)
    assert.equal(core.base64.encode(assert(crypto.sha256(styles[1].text))), digest)
    assert.is_nil(html:find("://", 1, true))
  end

  local hostile = { "</td><script>alert(1)</script>", "<img src=x onerror=alert(1)>", '" onload="alert(1)',
    "' onload='alert(1)", "javascript:alert(1)", "\226\128\174gpj.exe", "a\0b", "\27[2Jx", "a\r\nb", "\255\254",
    "&lt;script&gt;", "</style><style>*{display:none}", "<!--", "]]>", "=cmd|' /C calc'!A0", "</pre><h1>x",
    "&#60;b&#62;", "\239\187\191x", "%s%d%n", "${x}" }

  it("has its parts in their order, each once, and nothing that acts", function()
    local html, tags = written { devices = recorded.bad_night, state = "paused", why = "2 sends are not known",
      events = { { "gate", "wave 1: 5 sent, all well" } } }
    assert_harmless(html, tags)
    local headings = {}
    for _, tag in ipairs(markup.named(tags, "h2")) do headings[#headings + 1] = tag.text end
    assert.same({ "What needs you now", "Numbers", "Timeline", "Devices", "Left alone", "Events", "How it was done" },
      headings)
    assert.equal(1, #markup.named(tags, "h1"))
    assert.equal(1, #markup.named(tags, "main"))
    assert.equal("en", tags[1].attributes.lang)
    assert.equal("title", tags[#tags] and markup.named(tags, "title")[1].name)
  end)

  it("can be read aloud: headings in their order, tables with captions and scopes, places that are there", function()
    local _, tags = written { devices = recorded.bad_night }
    local level, ids = 0, {}
    for i, tag in ipairs(tags) do
      local own = tag.name:match "^h(%d)$"
      if own then
        assert.is_true(own - level <= 1, "h" .. own .. " below h" .. level)
        level = own + 0
      end
      if tag.attributes.id then
        assert.is_nil(ids[tag.attributes.id])
        ids[tag.attributes.id] = true
      end
      if tag.name == "table" then assert.equal("caption", tags[i + 1].name) end
      if tag.name == "th" then assert.matches("^%l+$", tag.attributes.scope) end
      if tag.name == "time" then
        assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", tag.attributes.datetime)
      end
      if tag.name == "svg" then assert.equal("img", tag.attributes.role) end
    end
    for _, tag in ipairs(tags) do
      for word in (tag.attributes["aria-labelledby"] or ""):gmatch "%S+" do assert.is_true(ids[word], word) end
      if tag.attributes.href then assert.is_true(ids[tag.attributes.href:sub(2)]) end
    end
  end)

  it("says in a sentence how many, which, when and by whom, and for each word what to do", function()
    local _, _, text = written { devices = recorded.bad_night, state = "paused", why = "2 sends are not known" }
    for _, words in ipairs { "1 of 10 devices restricted, 2 unknown, 1 failed, 1 refused, 1 cancelled, 1 not sent, "
      .. "1 superseded, 1 not looked at, 1 pending, 4 left as they were", "playbook \"contain.lua\", INC-4711",
      "2026-11-29 02:58 to 02:59 UTC", "by alice on soc1", "mde resume " .. directory, "cancelled by carol",
      "bob released it", "the service said no: HTTP 400", "rule servers", "by INC-1",
      "mde state " .. recorded.id(3), "1 device had not finished yet when this was recorded", "--verify",
      "It was not compared with the service", "not seen for an hour" } do
      assert(text:find(words, 1, true), words)
    end
  end)

  it("says of a run without a fault that nothing is to be done", function()
    local _, _, text = written { devices = { { name = "a", outcome = "accepted", status = "Succeeded" } } }
    assert.matches("What needs you now%s+Nothing%.", text)
    assert.matches("complete", text)
    assert.is_nil(text:find("mde resume", 1, true))
  end)

  it("says of a run that was undone so before all else, and not that all is well", function()
    local html, tags, text = written { devices = { { name = "a", outcome = "accepted", status = "Succeeded" } },
      events = { { "undone", "20261129T050000Z-bbbb" } }, why = "undone by 20261129T050000Z-bbbb" }
    assert_harmless(html, tags)
    assert.truthy(html:find('<p class="lead">Undone by 20261129T050000Z-bbbb; before that: 1 of 1', 1, true))
    assert.truthy(html:find('<div class="box open">', 1, true))
    assert.truthy(text:find("mde report 20261129T050000Z-bbbb", 1, true))
  end)

  it("is harmless whatever the names are", function()
    local devices = {}
    hostile[#hostile + 1] = ("x"):rep(10000)
    for i, name in ipairs(hostile) do
      devices[i] = { name = name, platform = name, reason = name, tags = { name }, value = name, last_seen = name,
        outcome = "refused", said = name, comment = "beacon", requestor = name, wave = 1 }
      devices[#hostile + i] = { name = name, decision = "protected", rule = name, why = name, holder = name }
      devices[2 * #hostile + i] = { name = name, outcome = "accepted", status = name:gsub("%z", "?"),
        cancelled_by = name, incident = "INC-1" }
    end
    for i, name in ipairs(hostile) do
      local own = account { devices = i == 1 and devices or {}, state = "stopped", why = name:gsub("%z", "?"),
        run = { text = name .. "\n" .. name, playbook = name:gsub("%z", "?"), undoes = name:gsub("%z", "?"),
          tenant = name:gsub("%z", "?"), client = name:gsub("%z", "?"), base_url = name:gsub("%z", "?"),
          id = name:gsub("%z", "?") },
        session = { host = name:gsub("%z", "?"), who = name:gsub("%z", "?"), mde = name:gsub("%z", "?") },
        events = { { name:gsub("%z", "?"), name:gsub("%z", "?") } } }
      own.unresolvable = { { asked = name, code = name, why = name } }
      own.beyond = { { machine_id = name, name = name, verb = name, said = name } }
      own.others, own.run.arguments, own.run.settings = { name }, { name }, { [name] = name }
      own.run.modules = { { name = name, path = name, digest = name } }
      own.run.name, own.run.path, own.run.undone_by = name, name, name
      own.rules = { { rule = name, count = 1 } }
      own.waves = { { wave = 1, planned = 1, sent = 1, succeeded = 0, verdict = name },
        { wave = 2, planned = 1, sent = 1, succeeded = 0 } }
      local html, tags = written(own, { verified_at = 1796000000, compared = 1, actions = 1,
        differences = { { kind = "status", machine_id = name, name = name, verb = name, words = name } } })
      assert_harmless(html, tags)
    end
  end)

  it("shows what was chosen by others, written out and cut", function()
    local _, _, text = written { devices = { { name = hostile[1], outcome = "refused", said = "\226\128\174x" },
      { name = ("y"):rep(10000), outcome = "lost" } } }
    assert.truthy(text:find(hostile[1], 1, true))
    assert.truthy(text:find("\\xe2\\x80\\xaex", 1, true))
    assert.is_nil(text:find(("y"):rep(300), 1, true))
  end)

  it("shows the text of the playbook in its lines, and no address that could be followed", function()
    local _, tags, text = written { devices = {}, run = { text = "if a < b then\n\tprint '</pre>'\nend\n",
      base_url = "https://api.example/x" } }
    assert.truthy(markup.named(tags, "pre")[1].text:find("if a < b then\n    print '</pre>'\nend", 1, true))
    assert.truthy(text:find("api.example/x", 1, true))
  end)

  it("says whether it was compared with the service, and what differs", function()
    local told = { devices = recorded.bad_night }
    local _, _, text = written(told, { verified_at = 1796000000, compared = 8, actions = 9, differences = {} })
    assert.matches("Verified against the service at%s+2026%-11%-30 00:53:20%s+UTC: 8 changes, and nothing differs",
      text)
    _, _, text = written(told, { verified_at = 1796000000, compared = 8, actions = 9, differences = {
      { kind = "status", machine_id = recorded.id(2), name = "pending.corp.example", verb = "restrict",
        words = "the record says Pending, and the service says Succeeded" } } })
    assert.matches("one thing differs", text)
    assert.matches("the service says Succeeded", text)
  end)

  it("says of an undo which run it takes back, and until when what has an end holds", function()
    local _, _, text = written { devices = { { name = "a", outcome = "accepted", status = "Succeeded",
      expires = 1796000000 } }, run = { verb = "undo", undoes = "20261129T025804Z-7f3a" } }
    assert.matches("Undo of a run", text)
    assert.truthy(text:find("undo of run 20261129T025804Z-7f3a", 1, true))
    assert.matches("until%s+2026%-11%-30 00:53:20", text)
  end)

  it("says of a plan that nothing was sent, and of a run under way that it goes on", function()
    local _, _, text = written { devices = { { name = "a" } }, state = "planned" }
    assert.matches("a plan, of which nothing was sent", text)
    assert.matches("Nothing was sent%.", text)
    _, _, text = written({ devices = { { name = "a" } }, state = "running", open = true }, nil, "live")
    assert.matches("under way", text)
    assert.matches("goes on while you read this", text)
    _, _, text = written({ devices = { { name = "a" } }, state = "running", open = true }, nil, "killed")
    assert.matches("killed before it ended", text)
    assert.truthy(text:find("mde resume", 1, true))
  end)

  it("has the first 2000 of many devices, and all that need somebody or were left", function()
    local devices = {}
    for i = 1, 2300 do
      devices[i] = { name = ("pc-%d-"):format(i), outcome = i <= 2100 and "accepted" or nil,
        status = i <= 2100 and (i <= 2050 and "Failed" or "Succeeded") or nil, wave = 1 }
      if i > 2200 then devices[i] = { name = ("pc-%d-"):format(i), decision = "protected", rule = "tags" } end
    end
    local _, tags, text = written { devices = devices, state = "paused" }
    for _, words in ipairs { "The rest, 200 devices: ", "--csv", "the first 2000 of 2200", "failed  (2050)",
      "not sent  (100)" } do
      assert(text:find(words, 1, true), words)
    end
    local shown = {}
    for i in text:gmatch "pc%-(%d+)%-" do shown[i + 0] = (shown[i + 0] or 0) + 1 end
    for i = 1, 2300 do
      -- Where somebody is needed, and in the list of all.
      assert.equal((i <= 2000 and 2 or i <= 2050 and 1 or i <= 2100 and 0 or 1), shown[i] or 0, "device " .. i)
    end
    local last
    for _, tag in ipairs(markup.named(tags, "caption")) do last = tag.text:match "(%d+ to %d+ of 2000)$" or last end
    assert.equal("1751 to 2000 of 2000", last)
  end)
end)
