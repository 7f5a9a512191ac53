namespace Detection.Frontend.Http.Uploads;

internal static class UploadExtensions
{
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
