namespace Detection.Page.Tests;

/// <summary>Photos of the tests.</summary>
internal static class Photos
{
    /// <summary>A street with people, which the default model finds with high scores.</summary>
    public static string People { get; } = TestPictures.Path("walkers.webp");

    /// <summary>A photo with an EXIF rotation.</summary>
    public static string OnItsSide { get; } = TestPictures.Path("edge/orientation-6.jpg");

    /// <summary>A format that browsers show and the server does not read.</summary>
    public static string Avif { get; } = TestPictures.Path("edge/upright.avif");

    public static string Truncated { get; } = TestPictures.Path("edge/truncated.jpg");

    /// <summary>Text in a file with the name of a photo.</summary>
    public static string Text { get; } = TestPictures.Path("edge/text.jpg");
}
