namespace Detection.Hosting;

/// <summary>Default address of a silo's health endpoints.</summary>
public static class HealthAddress
{
    private const int UsualPort = 8081;

    /// <summary>Uses port 8081 of the loopback address, or the next free one, so that several silos can run on one machine.</summary>
    public static void UseHealthAddress(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        if (configuration["urls"] is not null || configuration["http_ports"] is not null || configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            return;
        }

        builder.WebHost.UseUrls($"http://localhost:{FreePort.From(UsualPort)}");
    }
}
