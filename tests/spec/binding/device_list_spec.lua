-- mde.core.device_list through the binding; the table of files is in tests/core/test_device_list.c.
-- Labels: sanitized-each-lua
local device_list = require("mde.core").device_list

local ID = "1f00000000000000000000000000000000000017"

describe("core.device_list", function()
  it("tells what records name, as the bytes come", function()
    local reader = device_list.new()
    assert.same({}, reader:feed "\nid,fqdn,aadDeviceId\n")
    assert.same({ 1, { { number = 1, heading = "id" }, { number = 2, heading = "fqdn" },
      { number = 3, heading = "aadDeviceId" } } }, { reader:columns() })
    local entries, trouble = reader:feed(ID .. ",\"a\nb\",x\n" .. ID .. ",c")
    assert.is_nil(trouble)
    assert.equal(1, #entries)
    local entry = entries[1]
    assert.equal(3, entry.line)
    assert.same({ ID }, { entry[1], entry[2] })
    assert.same({ { text = "x", column = 3, reason = "is no Entra device id" },
      { text = "a\nb", column = 2, reason = "has a control character (byte 0x0a)" } }, entry.passed_over)
    assert.same({ { line = 5, proof = 2, ID, "c" } }, (reader:feed ",\n"))
    assert.same({}, reader:feed(nil))
    assert.same({}, reader:feed())
    assert.same({ 0, 0, {} }, { reader:left_out() })
    assert.same({ { { line = 3, lines = 2 } }, 1 }, { reader:spans() })
  end)

  it("tells why the list is refused, beside what was read before", function()
    local reader = device_list.new()
    local entries, trouble = reader:feed "a\n10.0.0.1\n\"b\"c"
    assert.equal(2, #entries)
    assert.equal("10.0.0.1", entries[2].flaw.text)
    assert.same({ about = "framing", problem = "text behind a closing quote", line = 3, column = 4 }, trouble)
    assert.same({ {}, trouble }, { reader:feed "d\n" })
    trouble = select(2, device_list.new():feed "x,,y\n")
    assert.same({ about = "column", line = 1,
      candidates = { { number = 1, heading = "x" }, { number = 3, heading = "y" } },
      problem = "several cells, and no heading that tells which one names a device" }, trouble)
    reader = device_list.new()
    local odd = { about = "record", line = 2, problem = "1 cell, where the first line has 2", text = "a",
      to_end = false }
    assert.same({ { line = 2, odd = odd } }, reader:feed "fqdn,x\na\n")
    odd.text, odd.to_end = nil, nil
    assert.same({ {}, odd }, { reader:feed() })
  end)

  it("tells what is not like the others, and which entries count beside it", function()
    local reader = device_list.new()
    assert.is_nil(reader:doubt())
    assert.is_true(reader:counts())
    local entries = reader:feed('"id","fqdn"\n"","a"\n' .. ID .. ',c\n,d\nx\n"","e')
    assert.same({ { line = 2, proof = 1, "a" }, { line = 3, proof = 2, ID, "c" }, { line = 4, "d" } },
      { entries[1], entries[2], entries[3] })
    assert.same({ 5, "x", false }, { entries[4].line, entries[4].odd.text, entries[4].odd.to_end })
    assert.equal(5, reader:doubt())
    assert.same({ true, true, false }, { reader:counts(1), reader:counts(2), reader:counts() })
    entries = reader:feed()
    assert.same({ 6, "framing", "", 4, true }, { entries[1].line, entries[1].odd.about, entries[1].odd.text,
      entries[1].odd.column, entries[1].odd.to_end })
    assert.same({ false, true, false }, { reader:counts(1), reader:counts(2), reader:counts() })
    for _, proof in ipairs { -1, 3, "x", {} } do assert.has_error(function() reader:counts(proof) end) end
    assert.equal("fqdn", device_list.new():feed("id,fqdn\n1,a\n")[1].instead)
  end)

  it("is asked for a column", function()
    assert.equal("b", device_list.new("X"):feed("y,x\na,b\n")[1][1])
    local reader = device_list.new(2)
    assert.equal("x", reader:feed("# c\ny,x # n\n")[1][1])
    assert.same({ 2 }, { reader:columns() })
    assert.same({ 1, 1, { 1 } }, { reader:left_out() })
    assert.same({}, { device_list.new():columns() })
    for _, column in ipairs { 0, 257, "", ("x"):rep(65), {}, true } do
      assert.has_error(function() device_list.new(column) end)
    end
  end)

  it("knows what can be a heading", function()
    for text, expected in pairs { a = true, [("x"):rep(64)] = true, [("x"):rep(65)] = false, [""] = false,
      [" _\t"] = false } do
      assert.equal(expected, device_list.is_heading(text))
    end
    assert.has_error(function() device_list.is_heading(nil) end)
  end)
end)
