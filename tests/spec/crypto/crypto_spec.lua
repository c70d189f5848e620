-- mde.crypto: the published vectors, what `openssl` says of the same bytes, and whose libcrypto is used.
-- Labels: sanitized-each-lua
local crypto = require "mde.crypto"
local script = require "tests.spec.support.process.script"
local shell = require "tests.spec.support.process.shell"

local BUILD = os.getenv "MDE_BUILD" or "./build"

local function from_hex(digits)
  return (digits:gsub("%s", ""):gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end))
end

-- FIPS 180-2, B.1 to B.3, NIST's example of 896 bits, and nothing at all.
local digests = {
  { "", "e3b0c442 98fc1c14 9afbf4c8 996fb924 27ae41e4 649b934c a495991b 7852b855" },
  { "abc", "ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad" },
  { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61 d20638b8 e5c02693 0c3e6039 a33ce459 64ff2167 f6ecedd4 19db06c1" },
  { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
    "cf5b16a7 78af8380 036ce59e 7b049237 0b249b11 e8f07a51 afac4503 7afee9d1" },
  { ("a"):rep(1000000), "cdc76e5c 9914fb92 81a1c7e2 84d73e67 f1809a48 a497200e 046d39cc c7112cd0" },
}

-- RFC 4231, 4.2 to 4.8: key, message, the HMAC (of test case 5 its first 128 bits).
local codes = {
  { ("\11"):rep(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b 881dc200c9833da726e9376c2e32cff7" },
  { "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c7 5a003f089d2739839dec58b964ec3843" },
  { ("\170"):rep(20), ("\221"):rep(50), "773ea91e36800e46854db8ebd09181a7 2959098b3ef8c122d9635514ced565fe" },
  { from_hex "0102030405060708090a0b0c0d0e0f10111213141516171819", ("\205"):rep(50),
    "82558a389a443c0ea4cc819899f2083a 85f0faa3e578f8077a2e3ff46729665b" },
  { ("\12"):rep(20), "Test With Truncation", "a3b6167473100ee06e0c796c2955552b" },
  { ("\170"):rep(131), "Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f0d8a26aacbf5b77f 8e0bc6213728c5140546040f0ee37f54" },
  { ("\170"):rep(131), "This is a test using a larger than block-size key and a larger than block-size data. The key "
    .. "needs to be hashed before being used by the HMAC algorithm.",
    "9b09ffa71b942fcb27635fbcd5b0e944 bfdc63644f0713938a7f51535c3a35e2" },
}

-- Bytes that are the same in each run, NUL among them.
local function some_bytes(count, seed)
  local bytes = {}
  for i = 1, count do
    seed = (seed * 75 + 74) % 65537
    bytes[i] = string.char(seed % 256)
  end
  return table.concat(bytes)
end

-- What the command says of them: `arguments` of `openssl dgst`.
local function by_command(arguments, bytes)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:write(bytes)
  file:close()
  local pipe = assert(io.popen(("openssl dgst %s <%s"):format(arguments, name)))
  local answer = pipe:read "*a"
  pipe:close()
  os.remove(name)
  return assert(answer:match "(%x+)%s*$", "openssl gave no digest")
end

local lengths = { 0, 1, 31, 55, 56, 63, 64, 65, 119, 120, 128, 4096, 300001 }

describe("mde.crypto", function()
  it("computes the examples of FIPS 180", function()
    for i, case in ipairs(digests) do
      local digest = assert(crypto.sha256(case[1]))
      assert.equal(32, #digest)
      assert.equal(from_hex(case[2]), digest, "example " .. i)
    end
  end)

  it("computes the test cases of RFC 4231", function()
    for i, case in ipairs(codes) do
      local expected = from_hex(case[3])
      local code = assert(crypto.hmac_sha256(case[1], case[2]))
      assert.equal(32, #code)
      assert.equal(expected, code:sub(1, #expected), "test case " .. i)
    end
  end)

  it("agrees with the command openssl, around each block's end and far beyond", function()
    for _, length in ipairs(lengths) do
      local message = some_bytes(length, length + 1)
      local key = some_bytes(length % 150 + 1, length + 2)
      assert.equal(by_command("-sha256", message), crypto.hex(crypto.sha256(message)), length .. " bytes")
      assert.equal(by_command("-sha256 -mac HMAC -macopt hexkey:" .. crypto.hex(key), message),
        crypto.hex(crypto.hmac_sha256(key, message)), length .. " bytes")
    end
  end)

  it("takes empty keys and messages, and NUL bytes as bytes like others", function()
    assert.equal("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
      crypto.hex(crypto.hmac_sha256("", "")))
    assert.not_equal(crypto.sha256 "a", crypto.sha256 "a\0")
    assert.not_equal(crypto.sha256 "a\0b", crypto.sha256 "a\0c")
    assert.not_equal(crypto.hmac_sha256("k\0a", "m"), crypto.hmac_sha256("k\0b", "m"))
    assert.not_equal(crypto.hmac_sha256("k", "m\0a"), crypto.hmac_sha256("k", "m\0b"))
    -- HMAC fills a key up with NUL bytes, so these two are one by its definition.
    assert.equal(crypto.hmac_sha256("k", "m"), crypto.hmac_sha256("k\0", "m"))
  end)

  it("compares whole texts", function()
    assert.is_true(crypto.equal("", ""))
    assert.is_true(crypto.equal("a\0b", "a\0b"))
    assert.is_false(crypto.equal("a\0b", "a\0c"))
    assert.is_false(crypto.equal("", "a"))
    assert.is_false(crypto.equal("ab", "a"))
    local code = crypto.sha256 "x"
    assert.is_true(crypto.equal(code, crypto.sha256 "x"))
    for i = 1, #code do
      local other = code:sub(1, i - 1) .. string.char((code:byte(i) + 128) % 256) .. code:sub(i + 1)
      assert.is_false(crypto.equal(code, other), "byte " .. i)
      assert.is_false(crypto.equal(other, code), "byte " .. i)
    end
  end)

  it("writes bytes in hexadecimal", function()
    local all, digits = {}, {}
    for byte = 0, 255 do
      all[#all + 1], digits[#digits + 1] = string.char(byte), ("%02x"):format(byte)
    end
    assert.equal(table.concat(digits), crypto.hex(table.concat(all)))
    assert.equal("", crypto.hex "")
    assert.equal(("00"):rep(100000), crypto.hex(("\0"):rep(100000)))
  end)

  it("raises for what is no string, also a number", function()
    local wrong = { false, true, 17, {}, print }
    for _, name in ipairs { "sha256", "hex" } do
      assert.has_error(function() crypto[name]() end)
      for _, value in ipairs(wrong) do assert.has_error(function() crypto[name](value) end) end
    end
    for _, name in ipairs { "hmac_sha256", "equal" } do
      assert.has_error(function() crypto[name]() end)
      assert.has_error(function() crypto[name] "a" end)
      for _, value in ipairs(wrong) do
        assert.has_error(function() crypto[name](value, "a") end)
        assert.has_error(function() crypto[name]("a", value) end)
      end
    end
  end)
end)

-- Whose libcrypto: seen from a process of its own. "alone" is mde.crypto built for a machine without any.
describe("the libcrypto of mde.crypto", function()
  local KNOWN = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"
  local ABC = [[
    local crypto = require "mde.crypto"
    local digest, problem = crypto.sha256 "abc"
    print(digest and crypto.hex(digest) or problem)
  ]]
  -- The files of libcrypto that the process has mapped.
  local COUNT = [[
    local files, count = {}, 0
    for line in io.lines "/proc/self/maps" do
      local file = line:match "/[^ ]*libcrypto%.so[^ ]*"
      if file and not files[file] then files[file], count = true, count + 1 end
    end
    print(count)
  ]]

  -- What leaks is found in this process and by the torture; the leak sanitizer crashes now and then over a process
  -- that has loaded libraries and ends.
  local function run(text, options)
    options = options or {}
    options.environment = options.environment or {}
    options.environment.ASAN_OPTIONS = "detect_leaks=0"
    local output, status = script.run(text, options)
    assert.equal("exit 0", status, output)
    return output
  end

  local alone = { build = BUILD .. "/no_libcrypto" }

  it("is loaded when it is needed, not before", function()
    assert.equal("0\n" .. KNOWN .. "1\n", run("require 'mde.crypto'" .. COUNT .. ABC .. COUNT))
  end)

  it("is missed with the package that brings it, and looked for again the next time", function()
    local output = run(ABC .. "local code, why = crypto.hmac_sha256('k', 'm') print(code, why == problem)\n"
      .. "print((crypto.version()), crypto.equal('a', 'a'), crypto.hex 'a')\n"
      .. "require 'openssl.digest'\n" .. ABC, alone)
    assert.equal("no libcrypto was found: install OpenSSL's library (Debian: libssl3)\nnil\ttrue\nnil\ttrue\t61\n"
      .. KNOWN, output)
  end)

  it("is the one that luaossl brought", function()
    assert.equal(KNOWN .. "1\n", run("require 'openssl.digest'" .. ABC .. COUNT, alone))
  end)

  it("is the one that libcurl brought", function()
    assert.equal(KNOWN .. "1\n", run("require 'mde.curl'" .. ABC .. COUNT, alone))
  end)

  it("is the same in every state of the process and after a fork", function()
    assert.equal("parent\nchild\n" .. KNOWN, run(ABC:gsub("print%b()", "assert(digest)") .. [[
      local fork = require "tests.fork"
      io.stdout:setvbuf "no"
      print "parent"
      local child = fork.fork()
      if child == 0 then
        print "child"
        package.loaded["mde.crypto"] = nil
        local again = require "mde.crypto"
        print(again.hex(crypto.sha256 "abc"))
        fork.exit(again.sha256 "abc" == crypto.sha256 "abc" and 0 or 1)
      end
      assert(fork.wait(child) == 0)
    ]], { environment = { ASAN_OPTIONS = "detect_leaks=0" } }))
  end)

  it("may refuse, which is told and leaves nothing behind", function()
    local configuration = os.tmpname()
    local file = assert(io.open(configuration, "w"))
    file:write("openssl_conf = all\n[all]\nalg_section = algorithms\n[algorithms]\ndefault_properties = fips=yes\n")
    file:close()
    local output = run(ABC .. "print(crypto.hmac_sha256('k', 'm'))", { environment = { OPENSSL_CONF = configuration } })
    os.remove(configuration)
    assert.truthy(output:find("^OpenSSL refuses to compute SHA%-256: error:"), output)
    assert.truthy(output:find "\nnil\tOpenSSL refuses to compute HMAC%-SHA%-256: error:", output)
  end)

  -- A program with half an OpenSSL of its own, and a libcrypto from before 1.1.
  for name, case in pairs {
    ["that is part of the program"] = { file = "libprogram.so", message = "^the OpenSSL that this program was built "
      .. "with lacks the function OpenSSL_version, and a second one" },
    ["that is too old"] = { file = "libcrypto.so.10", hidden = true, message = "^the libcrypto that this process has "
      .. "loaded %(.-libcrypto%.so%.10%) lacks the function OpenSSL_version, and a second one" },
  } do
    it("is not joined by a second one if it is one " .. name, function()
      local directory = shell.new_directory()
      local library = directory .. "/" .. case.file
      local compiled = os.execute(("printf 'void *%s(void) { return 0; }' | LD_PRELOAD= cc -shared -fPIC -x c -o %s -")
        :format(case.hidden and "SSLeay" or "EVP_sha256", library))
      assert.is_true(compiled == true or compiled == 0)
      local preload = (os.getenv "LD_PRELOAD" or "") .. " " .. library
      local output = run(ABC .. COUNT, { environment = { LD_PRELOAD = preload } })
      shell.remove(directory)
      assert.truthy(output:find(case.message), output)
      assert.truthy(output:find(case.hidden and "\n1\n$" or "\n0\n$"), output)
    end)
  end
end)
