namespace Detection.Page.Tests;

/// <summary>Photos of the tests.</summary>
internal static class Photos
{
    /// <summary>A street with people, of whom the default model is sure.</summary>
    public static string People { get; } = TestPictures.Path("walkers.webp");

    /// <summary>Pixels stored lying on their side, with an EXIF orientation that says so.</summary>
    public static string OnItsSide { get; } = TestPictures.Path("edge/orientation-6.jpg");

    /// <summary>A kind of picture that browsers show and the server does not read.</summary>
    public static string Avif { get; } = TestPictures.Path("edge/upright.avif");

    public static string Truncated { get; } = TestPictures.Path("edge/truncated.jpg");

    /// <summary>Text in a file that is named as a photo.</summary>
    public static string Text { get; } = TestPictures.Path("edge/text.jpg");
}
