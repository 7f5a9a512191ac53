namespace Detection.Testing;

/// <summary>Names of the product's settings that the fixtures set, as environment variables. They are defined only here.</summary>
public static class DetectionSettings
{
    /// <summary>Connection string of Redis; without it the front end runs everything in one process.</summary>
    public const string Redis = "ConnectionStrings__redis";

    /// <summary>Id of the cluster, the prefix of every key in Redis.</summary>
    public const string ClusterId = "Detection__ClusterId";

    /// <summary>Port for other silos.</summary>
    public const string SiloPort = "Detection__Silo__Port";

    /// <summary>Port for clients.</summary>
    public const string GatewayPort = "Detection__Silo__GatewayPort";

    /// <summary>Password of the embedded server; random without this setting.</summary>
    public const string EmbeddedPassword = "Detection__Embedded__RedisPassword";

    /// <summary>A password for it.</summary>
    public const string SomePassword = "a-password-of-the-tests";

    /// <summary>Secret that the processes of a cluster prove to each other.</summary>
    public const string ClusterSecret = "Detection__ClusterSecurity__Secret";

    /// <summary>Secret from which the processes of a cluster calculate image keys.</summary>
    public const string ImageKeySecret = "Detection__ImageKeys__Secret";

    /// <summary>Certificate of a process.</summary>
    public const string Certificate = "Detection__ClusterSecurity__Certificate";

    /// <summary>Key of that certificate.</summary>
    public const string CertificateKey = "Detection__ClusterSecurity__Key";

    /// <summary>Authority of the other processes' certificates.</summary>
    public const string Authority = "Detection__ClusterSecurity__Authority";

    /// <summary>Path that answers 200 when the process is ready.</summary>
    public const string ReadyPath = "/health/ready";
}
