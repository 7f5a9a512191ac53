namespace Detection.Fuzz;

/// <summary>Texts that often cause errors in programs, for all places of a request.</summary>
internal static class OddTexts
{
    /// <summary>Values of a query, percent-encoded. None of them breaks the request line.</summary>
    public static string Query(Random random) => random.Next(8) == 0 ? Percent(random) : random.Of<string>(
    [
        "", "0", "1", "-1", "0.5", "1.5", "-0.0", "1e400", "-1e400", "1e-400", "NaN", "Infinity", "-Infinity", "%E2%88%9E", "0x10", "1,5", "1_000", "+1", "%201", "1%20",
        "2147483648", "-2147483649", "9223372036854775808", "99999999999999999999999999999999999", "0.0009999", "1.0000001", "true", "TRUE", "yes", "null", "undefined",
        "%00", "%0d%0aX-Injected:%201", "%ff%fe", "%c0%ae", "%ed%a0%80", "%u0031", "%", "%2", "%zz", "%F0%9F%98%80", "%E2%80%AE", "%EF%BB%BF",
        "nanodet-g", "nanodet-g@", "@", "nanodet-g@000000000000", "..%2f..%2fetc", "{}", "%7Bx%7D", "*", "a:b:c", "person", "person,,,,person", ",", "%2c%2c",
        "'%20OR%201=1--", "$%7Bjndi:ldap://x%7D", "%3Cscript%3E", new string('9', 300), new string('x', 5000), string.Join(',', Enumerable.Range(0, 1500)),
    ]);

    /// <summary>Segments of a path, percent-encoded. None of them breaks the request line.</summary>
    public static string Segment(Random random) => random.Next(8) == 0 ? Percent(random) : random.Of<string>(
    [
        "", ".", "..", "%2e", "%2e%2e", "..%2f..", "%2F", "%5c", "..%5c..", "%25", "%2500", "%", "%2", "%zz", "%ff", "%c0%ae", "%ed%a0%80", "%0a", "%0d%0a", "%7f", "%20",
        "*", "{}", "{imageKey}", "%7B0%7D", ":", ";", ";a=b", "@", "~", "$", "&", "=", "+", ",", "'", "(", "nul", "con", ".git", ".env", "index.html", "web.config", "appsettings.json",
        new string('a', 64), new string('A', 64), new string('0', 63), new string('0', 65), new string('f', 3000), "%F0%9F%98%80", "nanodet-g", "nanodet-g@193207888bdb", "batch", "events", "image",
    ]);

    /// <summary>Values of a header, Latin-1 without control characters.</summary>
    public static string Header(Random random) => random.Of<string>(
    [
        "", "*", "*/*", "*/*;q=-1", "image/jpeg;q=abc", "image/jpeg;q=0.5,application/json;q=0.9", "image/jpeg", "text/html,application/xhtml+xml", ",,,,", ";", ";;q=1", "\"", "\"unclosed",
        "a=b; a=b", "application/json; charset=utf-16", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"", "image/", "/", "image/jpeg/png",
        "gzip", "br, gzip", "identity;q=0", "chunked", "100-continue", "200-ok", "bytes=0-0", "bytes=-1", "bytes=9-1", "bytes=0-0,2-2,4-4", "bytes=99999999999999999999-",
        "W/\"x\"", "\"x\"", "Thu, 01 Jan 1970 00:00:00 GMT", "Sun, 99 Foo 99999 99:99:99 GMT", "respond-async", "respond-async; wait=10", "wait=99999999999", "respond-async, respond-async",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-00000000000000000000000000000000-0000000000000000-00", "ff-x-y-z", "Bearer", "Bearer x", "Basic Og==", "Basic !!!",
        "-1", "0", "+5", " 12", "0x10", "1, 1", "2147483648", "9223372036854775808", "99999999999999999999", "127.0.0.1", "::1", "for=\"[::1]:x\"", "https", "websocket", "h2c",
        "'; DROP TABLE", "${jndi:ldap://x}", "%0d%0a", "()", "{}", new string('a', 4000), string.Join(',', Enumerable.Repeat("image/jpeg;q=0.1", 400)),
    ]);

    /// <summary>Addresses that must not be fetched or are not valid, as in a JSON string.</summary>
    public static string Address(Random random, int redisPort) => Escape(random.Of<string>(
    [
        $"http://127.0.0.1:{redisPort}/", "http://127.0.0.1/", "http://localhost/", "http://localhost./", "http://LOCALHOST:80/a.jpg", "http://127.1/", "http://127.0.1/", "http://0/", "http://0.0.0.0/",
        "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://017700000001/", "http://0177.0.0.1/", "http://127.0.0.1.nip.invalid/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/",
        "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/",
        "http://[fd00::1]/", "http://[::1", "http://[v1.x]/", "http://[]/", "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/",
        "http://224.0.0.1/", "http://255.255.255.255/", "http://user:pw@127.0.0.1/", "http://example.invalid@127.0.0.1/", "http://127.0.0.1#@example.invalid/", "http://127.0.0.1\\\\@example.invalid/",
        "https://127.0.0.1/", "http://127.0.0.1:22/", "http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://127.0.0.1:-1/", "http://127.0.0.1:99999999999/", "http://127.0.0.1:/", "http://127.0.0.1:80:80/",
        "file:///etc/passwd", "FILE:///etc/passwd", "file://127.0.0.1/etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:6379/_FLUSHALL", "dict://127.0.0.1:6379/info", "ldap://127.0.0.1/", "jar:http://x!/",
        "javascript:alert(1)", "data:image/png;base64,AAAA", "about:blank", "urn:x", "mailto:a@b", "//127.0.0.1/", "/etc/passwd", "http:", "http:/", "http://", "http:///", "http:///a", "http:127.0.0.1", "http://?", "http://#",
        "", " ", "x", "http", "http://.", "http://..", "http://a..b/", "http://-/", "http://_/", "http://xn--/", "http://xn--a/", "http://xn--\\u0000/", "http://a b/", "http://a%00b/", "http://a\\u0000b/", "http://a\\r\\nHost: b/",
        "http://\\u202e/", "http://\\ud83d\\ude00/", "http://\\ud800/", "http://a/\\udfff", "http://\\ufdd0.invalid/", "http://\\u00df.invalid/", "http://\\uff0e/", $"http://{new string('a', 64)}.invalid/",
        $"http://{string.Join('.', Enumerable.Repeat("a", 130))}.invalid/", $"http://127.0.0.1/{new string('a', 9000)}", $"http://127.0.0.1/?{new string('%', 500)}", "http://127.0.0.1/%zz", "http://127.0.0.1/%00", "http://127.0.0.1/../..",
    ]));

    /// <summary>Tokens at the place of a JSON value; some are not JSON.</summary>
    public static string JsonValue(Random random) => random.Of<string>(
    [
        "null", "true", "false", "0", "-0", "-1", "1", "0.5", "1e400", "-1e400", "1e-400", "1E+2", "01", "+1", ".5", "1.", "0x10", "NaN", "Infinity", "99999999999999999999", "9223372036854775807", "9223372036854775808", "4294967296",
        "\"\"", "\" \"", "\"x\"", "\"AAAA\"", "\"AAA\"", "\"!\"", "\"data:image/png;base64,\"", "\"data:\"", "\"data:,\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\ude00\"", "\"\\uD8\"", "\"\\x\"", "\"\\", "\"",
        "\"\xff\xfe\"", "\"\xc0\xae\"", "\"\xed\xa0\x80\"", "\"\xf5\"", "\"\x01\"", "\"\n\"", "'x'", "[]", "[[]]", "[null]", "[1]", "[\"AAAA\"]", "[[[\"AAAA\"]]]", "[1,1]", "[-1]", "[1e400]", "[]]", "[,]", "{}", "{\"\":\"\"}", "{\"a\":{\"b\":[]}}", "{,}", "{\"a\"}",
        "/**/1", "undefined", "", new string('[', 100), new string('[', 5000), $"{new string('[', 60)}{new string(']', 60)}", $"{string.Concat(Enumerable.Repeat("{\"a\":", 200))}1{new string('}', 200)}",
        $"\"{new string('A', 100_000)}\"", $"\"{string.Concat(Enumerable.Repeat("\\u0041", 1000))}\"", $"[{string.Join(',', Enumerable.Range(0, 5000))}]", "1 1", "\ufeff1".Replace('\ufeff', '\xef'), "\"image\"", "\"BYTES\"", "\"boxes\"",
    ]);

    // JSON can also have characters outside Latin-1.
    private static string Escape(string text) =>
        string.Concat(text.Select(static letter => letter > 0xFF ? $"\\u{(int)letter:x4}" : letter.ToString()));

    private static string Percent(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => $"%{random.Next(1, 256):x2}"));
}
