using Xunit;

namespace Detection.Testing;

/// <summary>
/// Files that lie beside the checkout (<c>../shared</c>) and not in it: photos and models that may be used for tests but not
/// published. Tests that need them are skipped where they are absent.
/// </summary>
public static class SharedFiles
{
    private static readonly string Folder = Path.GetFullPath(Path.Combine(Repository.Root, "..", "shared"));

    /// <summary>The path of a shared file or folder, or <see langword="null"/> when it is absent.</summary>
    /// <param name="relative">For example <c>images/coco-person</c>.</param>
    public static string? Find(string relative)
    {
        var path = Path.Combine(Folder, relative);
        return Path.Exists(path) ? path : null;
    }

    /// <summary>The path of a shared file or folder; skips the running test when it is absent.</summary>
    /// <param name="relative">For example <c>models/yolox_nano.onnx</c>.</param>
    public static string FindOrSkip(string relative)
    {
        var path = Find(relative);
        Assert.SkipUnless(path is not null, $"'../shared/{relative}' is not here.");
        return path!;
    }
}
