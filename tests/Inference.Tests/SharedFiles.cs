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
    }
}
