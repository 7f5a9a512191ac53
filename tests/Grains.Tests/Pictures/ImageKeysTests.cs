using Detection.Contracts.Pictures;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Tests.Pictures;

public sealed class ImageKeysTests
{
    private static readonly ImageKeys Shared = new(Options.Create(new ImageKeyOptions()));
    private static readonly ImageKeys PerCaller = new(Options.Create(new ImageKeyOptions { Secret = "0123456789abcdef0123456789abcdef" }));

    private static ReadOnlySpan<byte> Picture => "picture"u8;

    [Theory]
    [InlineData(null)]
    [InlineData("alice")]
    public void Of_without_a_secret_is_the_sha256_for_every_caller(string? caller)
    {
        // sha256sum
        Assert.Equal("2cea274d0bedc39ec4ab6ba9e59ec889e3ed6fb56a1cf088a64d9b383378dc97", Shared.Of(Picture, caller));
        Assert.True(Shared.MayRead(Shared.Of(Picture, "bob"), caller));
    }

    [Theory]
    [InlineData(null, "06ac91d451ac327b1c601b9432273b4a2b78f5125524e909e07d757b5c51b44d")]
    [InlineData("alice", "876fef8732771f1a4c230c55f245304c6b2fd34d73a77e8088115a9984a76029")]
    [InlineData("bob", "61c4ca3317fc78c87f2e0f8bd3f760cf21a0c0ddc12fa56faa420cc27cb90625")]
    public void Of_with_a_secret_is_the_callers_own(string? caller, string key)
    {
        // Computed with the hmac module of Python from the description of the class.
        Assert.Equal(key, PerCaller.Of(Picture, caller));
        Assert.True(PerCaller.Matches(key, Picture, caller));
        Assert.True(PerCaller.MayRead(key, caller));
    }

    [Fact]
    public void Matches_is_false_for_other_bytes_another_caller_and_another_key()
    {
        var key = PerCaller.Of(Picture, "alice");

        Assert.False(PerCaller.Matches(key, "pictures"u8, "alice"));
        Assert.False(PerCaller.Matches(key, Picture, "bob"));
        Assert.False(PerCaller.Matches(key, Picture, null));
        Assert.False(PerCaller.Matches(Shared.Of(Picture, null), Picture, "alice"));
        Assert.False(PerCaller.Matches("", Picture, "alice"));
        Assert.True(Shared.Matches(Shared.Of(Picture, null), Picture, "alice"));
        Assert.False(Shared.Matches(Shared.Of(Picture, null), "pictures"u8, null));
    }

    [Fact]
    public void MayRead_is_false_for_another_callers_key_and_for_other_texts()
    {
        Assert.False(PerCaller.MayRead(PerCaller.Of(Picture, "alice"), "bob"));
        Assert.False(PerCaller.MayRead(PerCaller.Of(Picture, "alice"), null));
        Assert.False(PerCaller.MayRead(PerCaller.Of(Picture, null), "alice"));
        Assert.False(PerCaller.MayRead(Shared.Of(Picture, null), "alice"));
        Assert.False(PerCaller.MayRead("alice", "alice"));
        Assert.False(Shared.MayRead(Shared.Of(Picture, null).ToUpperInvariant(), null));
    }

    [Fact]
    public void MarkOf_is_the_same_for_the_same_secret_and_cluster_only()
    {
        // hmac.new(secret, b"mark\ndetection", "sha256").hexdigest()
        Assert.Equal("9f4ff74c5bcee021a9129778953dffa9d601d02998e1a8c7910be7ec3a734c2d", PerCaller.MarkOf("detection"));
        Assert.NotEqual(PerCaller.MarkOf("detection"), PerCaller.MarkOf("detection-2"));
        Assert.Equal(Shared.MarkOf("detection"), new ImageKeys(Options.Create(new ImageKeyOptions { Secret = "" })).MarkOf("detection"));
        Assert.NotEqual(Shared.MarkOf("detection"), PerCaller.MarkOf("detection"));
    }
}
