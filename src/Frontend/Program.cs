using Detection.Frontend;
using Detection.Silo;

return await ProgramRun.RunAsync(() => FrontendApplication.Create(args));
