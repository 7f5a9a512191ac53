<<<<<<< HEAD
using Xunit;

namespace Detection.Inference.Tests;

/// <summary>Files that lie beside the repository on some machines only.</summary>
internal static class SharedFiles
{
    /// <summary>Full path of a file or folder in <c>../shared</c>; the test is skipped where it is absent.</summary>
    public static string Find(string path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Detection.sln")))
            {
                var found = Path.Combine(folder.FullName, "..", "shared", path);
                Assert.SkipUnless(Path.Exists(found), $"../shared/{path} is not here");
                return found;
            }
        }

        throw new InvalidOperationException("The tests do not run inside the repository.");
=======
namespace Detection.Inference.Tests;

/// <summary>Files beside the repository that are not part of it: pictures and models for measuring.</summary>
internal static class SharedFiles
{
    /// <summary>The folder <c>shared</c> beside the repository; it may not be there.</summary>
    public static string Folder { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Detection.sln")))
        {
            folder = folder.Parent;
        }

        return Path.GetFullPath(Path.Combine(folder?.FullName ?? ".", "..", "shared"));
>>>>>>> 9dacdaa (Read YOLO, EfficientDet, DETR and SSD outputs)
    }
}
