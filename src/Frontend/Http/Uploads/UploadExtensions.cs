namespace Detection.Frontend.Http.Uploads;

internal static class UploadExtensions
{
    /// <summary>Adds the readers of pictures in bodies.</summary>
    public static void AddUploads(this IServiceCollection services)
    {
        services.AddContentEncodings();
        services.AddSingleton<UploadMemory>();
        services.AddSingleton<UploadTimeout>();
        services.AddSingleton<UploadReader>();
        services.AddSingleton<UploadFormReader>();
        services.AddSingleton<UploadBodyReader>();
    }
}
