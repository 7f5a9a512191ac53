using System.Text.Json;
using Detection.Inference.Inspection;
using Xunit;

namespace Detection.Inference.Tests.Inspection;

/// <summary>
/// Lists of names as Python writes them. <c>python-repr.json</c> has pairs of names and what <c>repr</c> of Python 3.11 made of them, as
/// list, tuple and dictionary with numbers, in any order, as keys; <c>python-repr.py</c> wrote it.
/// </summary>
public sealed class PythonLiteralTests
{
    private sealed record Pair(string Text, string[] Names);

    [Fact]
    public void Names_reads_what_repr_writes()
    {
        string path = Path.Combine(Testing.Repository.Root, "tests", "Inference.Tests", "Inspection", "python-repr.json");
        var pairs = JsonSerializer.Deserialize<List<Pair>>(File.ReadAllText(path), JsonSerializerOptions.Web)!;

        Assert.True(pairs.Count > 200);
        Assert.All(pairs, pair => Assert.Equal(pair.Names, PythonLiteral.Names(pair.Text)));
    }

    [Theory]
    [InlineData("{0: 'person', 1: \"it's\"}", new[] { "person", "it's" })]
    [InlineData("{1: 'b', 0: 'a'}", new[] { "a", "b" })]
    [InlineData("{\"0\": \"a\", \"1\": \"b\"}", new[] { "a", "b" })]
    [InlineData(" { 0 : 'a' , 1 : 'b' , } ", new[] { "a", "b" })]
    [InlineData("['a', 'caf\\xe9', 'x\\'y',]", new[] { "a", "café", "x'y" })]
    [InlineData("(\"a, b\", 'c: {d}')", new[] { "a, b", "c: {d}" })]
    [InlineData(@"['\101\7\0000', '\a\b\f\v', '\d']", new[] { "A\a\00", "\a\b\f\v", "\\d" })]
    [InlineData(@"['\U0001F600', '\U0001f600']", new[] { "😀", "😀" })]
    [InlineData(@"[""\ud83d\ude00"", ""a\/b""]", new[] { "😀", "a/b" })]
    [InlineData(@"['\ud83d', '\udc00x']", new[] { "\uFFFD", "\uFFFDx" })]
    [InlineData("['a\\\nb']", new[] { "ab" })]
    [InlineData("[person, 7, 1.5]", new[] { "person", "7", "1.5" })]
    [InlineData("{}", new string[0])]
    [InlineData("[]", new string[0])]
    [InlineData("{0: 'a', 2: 'c'}", null)]
    [InlineData("{0: 'a', 0: 'b'}", null)]
    [InlineData("{-1: 'a', 0: 'b'}", null)]
    [InlineData("{0: 'a'", null)]
    [InlineData("{0: 'a'} more", null)]
    [InlineData("['a', 'b'", null)]
    [InlineData("['a'", null)]
    [InlineData("['a", null)]
    [InlineData("['a\\", null)]
    [InlineData("['a\\'", null)]
    [InlineData("['a',,]", null)]
    [InlineData("[,]", null)]
    [InlineData("['a' 'b']", null)]
    [InlineData("['\\x4']", null)]
    [InlineData("['\\u12g4']", null)]
    [InlineData("['\\U00110000']", null)]
    [InlineData("['\\UFFFFFFFF']", null)]
    [InlineData("['\\N{BULLET}']", null)]
    [InlineData("person", null)]
    [InlineData("", null)]
    public void Names_reads_what_exporters_write(string text, string[]? expected) => Assert.Equal(expected, PythonLiteral.Names(text));
}
