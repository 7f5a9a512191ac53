using Detection.Inference.Devices;
using Detection.Inference.Pictures;
using Detection.Inference.Tests.Heads;
using Detection.Inference.Tests.Pictures;

namespace Detection.Inference.Tests.Devices;

/// <summary>After any effect of a picture on the codec of a worker, the next pictures on that worker are answered as before.</summary>
public sealed class PoisonPictureTests : DefaultModelTest
{
    [Fact]
    public async Task Good_pictures_are_answered_as_before_after_and_between_bad_ones()
    {
        byte[][] good = [.. Enumerable.Range(0, 6).Select(Photos.Get)];
        var before = await DetectAsync(good);
        Assert.All(before, outcome => Assert.Equal(OutcomeKind.Detected, outcome.Kind));
        foreach (var bad in BadPictures())
        {
            // Enough to reach every worker, then mixed with good ones.
            byte[][] sent = [.. Enumerable.Repeat(bad, 4 * Workers), .. good.SelectMany(picture => new[] { picture, bad }), .. good];
            var outcomes = await DetectAsync(sent);
            for (var i = 0; i < sent.Length; i++)
            {
                if (ReferenceEquals(sent[i], bad))
                {
                    Assert.IsType<PictureException>(outcomes[i].Error);
                }
                else
                {
                    Assert.Equal(OutcomeKind.Detected, outcomes[i].Kind);
                    BoxAssert.Same(before[Array.IndexOf(good, sent[i])].Boxes, outcomes[i].Boxes);
                }
            }
        }
    }

    [Fact]
    public void The_codec_of_a_thread_survives_every_refusal()
    {
        Assert.SkipUnless(TurboJpeg.IsAvailable, "libjpeg-turbo is not installed");
        var jpeg = Samples.Jpeg(64, 48);
        using var expected = PictureDecoder.Decode(jpeg, new PictureLimits());
        foreach (var bad in BadPictures())
        {
            // Directly to the library, without the checks that refuse most of them earlier.
            using (var target = Picture.Create(192, 192))
            {
                try
                {
                    TurboJpeg.Decode(bad, target, out _);
                }
                catch (PictureException)
                {
                }
            }

            // Checked here as well, because SkiaSharp would replace a lost codec.
            using var again = Picture.Create(64, 48);
            Assert.Null(TurboJpeg.Decode(jpeg, again, out var warning));
            Assert.Null(warning);
            Assert.Equal(expected.Pixels, again.Pixels);
        }
    }

    private static IEnumerable<byte[]> BadPictures()
    {
        foreach (var (frame, precision) in new (byte, int)[]
        {
            (0xC0, 12), (0xC1, 12), (0xC2, 12), (0xC0, 16), (0xC3, 8), (0xC3, 12), (0xC5, 8), (0xC6, 8), (0xC7, 8), (0xC9, 12), (0xCA, 12),
            (0xCB, 8), (0xCD, 8), (0xCF, 8),
        })
        {
            yield return (BlockJpeg.Quadrants(192) with { Frame = frame, Precision = precision }).Encode();
        }

        var whole = BlockJpeg.Quadrants(192).Encode();
        yield return Replace(whole, [0xFF, 0xC4], [0xFF, 0xC0]);
        yield return Replace(whole, [0xFF, 0xC4], [0xFF, 0xD8]);
        yield return Replace(whole, [0xFF, 0xC4, 0, 31, 0], [0xFF, 0xC4, 0, 31, 9]);
        yield return Replace(whole, [0xFF, 0xDB, 0, 67], [0xFF, 0xDB, 0, 66]);
        yield return Replace(whole, [0xFF, 0xC0, 0, 17], [0xFF, 0xC0, 0, 16]);
        yield return (BlockJpeg.Quadrants(192) with { Sampling = [(3, 1), (2, 1), (1, 1)] }).Encode();
        yield return (BlockJpeg.Quadrants(192) with { Sampling = [(4, 4), (2, 2), (1, 1)] }).Encode();
    }

    private static byte[] Replace(byte[] bytes, byte[] what, byte[] by)
    {
        var at = bytes.AsSpan().IndexOf(what);
        Assert.True(at >= 0);
        return [.. bytes[..at], .. by, .. bytes[(at + by.Length)..]];
    }
}
