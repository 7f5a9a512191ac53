namespace Detection.Hosting.Management;

/// <summary>The listener for operators of the service.</summary>
internal static class ManagementAddress
{
    /// <summary>
    /// The port of an address in the form of ASP.NET Core (<c>http://*:9090</c>); <see langword="null"/> when the text is not an address.
    /// </summary>
    public static int? Port(string url)
    {
        try
        {
            return BindingAddress.Parse(url) is { Port: > 0 and <= ushort.MaxValue } address ? address.Port : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Makes the server listen at this address, in addition to its other addresses.</summary>
    public static void Add(WebApplicationBuilder builder, string url)
    {
        var configuration = builder.Configuration;
        if (configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            // These replace all URLs.
            configuration["Kestrel:Endpoints:Management:Url"] = url;
            return;
        }

        string[] urls = string.IsNullOrEmpty(configuration["urls"])
            ? [.. Ports("http"), .. Ports("https")]
            : configuration["urls"]!.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        builder.WebHost.UseUrls([.. urls, url]);

        IEnumerable<string> Ports(string scheme) =>
            (configuration[$"{scheme}_ports"] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(port => $"{scheme}://*:{port}");
    }
}
