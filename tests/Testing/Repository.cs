namespace Detection.Testing;

/// <summary>Where the checkout is that the tests were built from.</summary>
public static class Repository
{
    /// <summary>The folder that holds <c>Detection.sln</c>.</summary>
    /// <exception cref="DirectoryNotFoundException">The tests run outside a checkout.</exception>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Detection.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No Detection.sln above '{AppContext.BaseDirectory}'.");
    }
}
