using SkiaSharp;

namespace Detection.Testing.Tests;

public sealed class TestPicturesTests
{
    [Fact]
    public void Unique_pictures_differ_only_in_their_key()
    {
        var seeds = Enumerable.Range(-2, 200).ToArray();
        var keys = seeds.Select(seed => TestPictures.ImageKey(TestPictures.Unique(seed))).ToHashSet();
        Assert.Equal(seeds.Length, keys.Count);

        // The same photo one round later: other bytes, same pixels.
        using var first = SKBitmap.Decode(TestPictures.Unique(1));
        using var second = SKBitmap.Decode(TestPictures.Unique(1 + TestPictures.PhotoCount));
        Assert.True(first.Width > 64 && first.Height > 64);
        Assert.Equal(first.Bytes, second.Bytes);
    }

    [Fact]
    public void The_same_seed_gives_the_same_picture() => Assert.Equal(TestPictures.Unique(7), TestPictures.Unique(7));

    [Fact]
    public void The_image_key_is_the_SHA256_in_lower_case_hex() =>
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", TestPictures.ImageKey("abc"u8));
}
