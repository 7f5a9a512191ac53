using Xunit;

namespace Detection.Testing;

/// <summary>The output of the running test, which runners show when it fails.</summary>
internal static class TestLog
{
    /// <summary>Writes a block under a heading; nothing outside a test.</summary>
    public static void Write(string heading, string text) =>
        TestContext.Current.TestOutputHelper?.WriteLine($"── {heading}\n{text}");
}
