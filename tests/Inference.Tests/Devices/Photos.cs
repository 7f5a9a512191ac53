namespace Detection.Inference.Tests.Devices;

/// <summary>Photos of the repository.</summary>
internal static class Photos
{
    private static readonly string[] Names =
        ["walkers.webp", "tourist.webp", "rocket.jpg", "mill-workers.webp", "cat.png", "staircase.webp", "birds.webp", "lake.webp"];

    private static readonly byte[][] Bytes = [.. Names.Select(name => File.ReadAllBytes(TestPictures.Path(name)))];

    /// <summary>One of them; they come round.</summary>
    public static byte[] Get(int number) => Bytes[number % Bytes.Length];
}
